#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/expr/formula_compiler.h"
#include "sapwood/expr/promotion.h"

namespace sapwood::expr {
namespace {

// The value of an item that is not there.
Constant missing(TypeKind element) {
  switch (element) {
    case TypeKind::kFloat32:
      return Constant::of(std::numeric_limits<float>::quiet_NaN());
    case TypeKind::kFloat64:
      return Constant::of(std::numeric_limits<double>::quiet_NaN());
    default:
      return {.kind = element};
  }
}

bool is_integer(const Typed& part) { return computed_kind(part.element) == TypeKind::kInt64; }

// By which items are chosen with a condition, or by their number.
Composition places_of_true() { return {{"x", "condition"}, {"nonzero(condition)"}}; }
Composition first_or_last() { return {{"x", "n"}, {"x[min(n, 0) : n < 0 ? 0x7fffffffffffffff : n]"}}; }
Composition padded() { return {{"x", "n", "value"}, {"pad(x, n, value)"}}; }

bool is_of_items(IndexFunction::Argument argument) {
  return argument == IndexFunction::Argument::kConditions || argument == IndexFunction::Argument::kIndices ||
         argument == IndexFunction::Argument::kAlike;
}

}  // namespace

Typed FormulaCompiler::list_function(const Node& node, size_t function, const ListFunction& body,
                                     Typed lists) {
  if (lists.dimensions.empty()) {
    fail(node, concat("'", called(node), "' goes over a list, and ", source(nodes_[node.arguments.front()]),
                      " is a single value"));
  }
  TypeKind kind = TypeKind::kBool;
  if (!body.takes_conditions && !body.takes_any) {
    kind = choose_overload(body.overloads, computed_kind(lists.element));
  }
  if (!body.takes_any) lists = convert(std::move(lists), kind);
  Dimensions dimensions = std::move(lists.dimensions);
  if (!body.keeps_lists) dimensions.pop_back();
  return add({.kind = Operation::Kind::kLists,
              .detail = function,
              .element = kind,
              .inputs = {lists.input},
              .result = body.overloads[place_of(kind)].result,
              .dimensions = std::move(dimensions),
              .place = node.place});
}

Typed FormulaCompiler::indices(const Node& node, size_t function, const IndexFunction& body,
                               std::vector<Typed> arguments) {
  using Argument = IndexFunction::Argument;
  size_t depth = 1;
  std::vector<PromotedOperand> alike;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (is_of_items(body.arguments[i])) depth = std::max(depth, arguments[i].dimensions.size());
    if (body.arguments[i] == Argument::kAlike) alike.push_back({arguments[i].element, false});
  }
  const TypeKind kind = alike.empty() ? TypeKind::kInt64 : promote(alike);
  std::vector<Input> inputs;
  for (size_t i = 0; i < arguments.size(); ++i) {
    arguments[i] = index_argument(nodes_[node.arguments[i]], body.arguments[i], arguments[i], depth);
    if (body.arguments[i] == Argument::kAlike) arguments[i] = convert(arguments[i], kind);
    inputs.push_back(arguments[i].input);
  }
  if (arguments.front().is_constant()) {
    fail(node, concat("'", called(node), "' takes an integer of each entry, not a constant"));
  }
  require_accepted(node, body, arguments);
  const Dimensions& first = arguments.front().dimensions;
  Dimensions dimensions(first.begin(), first.begin() + static_cast<ptrdiff_t>(depth - 1));
  dimensions.push_back(size_of_indices(node, body, arguments));
  return add({.kind = Operation::Kind::kIndices,
              .detail = function,
              .element = kind,
              .inputs = std::move(inputs),
              .result = TypeKind::kInt64,
              .dimensions = std::move(dimensions),
              .place = node.place});
}

Typed FormulaCompiler::index_argument(const Node& node, IndexFunction::Argument kind, const Typed& argument,
                                      size_t depth) {
  using Argument = IndexFunction::Argument;
  const auto refuse = [&](std::string_view wanted) {
    fail(node, concat("expected ", wanted, ", and ", source(node), " is ", argument.type().to_string()));
  };
  switch (kind) {
    case Argument::kLists:
      if (argument.dimensions.size() < depth)
        refuse(depth == 1 ? "lists" : "lists around the indices' lists");
      return argument;
    case Argument::kAlike:
      if (argument.dimensions.empty() || argument.dimensions.size() != depth)
        refuse("lists as deep as the others");
      return argument;
    case Argument::kConditions:
      if (argument.dimensions.empty()) refuse("lists");
      return convert(argument, TypeKind::kBool);
    case Argument::kIndices:
      if (argument.dimensions.empty() || !is_integer(argument)) refuse("lists of integers");
      return convert(argument, TypeKind::kInt64);
    case Argument::kInteger:
      if (!argument.dimensions.empty() || !is_integer(argument)) refuse("one integer for each entry");
      return convert(argument, TypeKind::kInt64);
    case Argument::kConstant:
      if (!known_integer(argument)) refuse("a constant integer");
      break;
  }
  return argument;
}

void FormulaCompiler::require_accepted(const Node& node, const IndexFunction& body,
                                       const std::vector<Typed>& arguments) const {
  if (body.accepts == nullptr) return;
  std::vector<int64_t> constants;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (body.arguments[i] == IndexFunction::Argument::kConstant)
      constants.push_back(*known_integer(arguments[i]));
  }
  if (!body.accepts(constants)) fail(node, concat("'", called(node), "' takes ", body.accepted));
}

// Of lists of a fixed size with constants there are as many in each entry.
int64_t FormulaCompiler::size_of_indices(const Node& node, const IndexFunction& body,
                                         const std::vector<Typed>& arguments) const {
  std::vector<ListOperand> operands;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].is_constant()) {
      operands.push_back({.items = {program_.constants[arguments[i].input.index].data(), true}});
    } else if (body.arguments[i] == IndexFunction::Argument::kLists &&
               (arguments[i].dimensions.front() != kJagged || !body.looks_at_lists)) {
      operands.push_back({.lists = {.fixed_size = arguments[i].dimensions.front(), .count = 1}});
    } else {
      return kJagged;
    }
  }
  int64_t size = 0;
  body.sizes(operands, 1, &size);
  size = countable(node, size);
  return size == 0 ? kJagged : size;  // no library likes arrays of a fixed size of 0
}

int64_t FormulaCompiler::countable(const Node& node, int64_t size) const {
  if (size <= kMaxItems) return size;
  fail(node, concat("'", called(node), "' makes more than ", kMaxItems, " items of these"));
}

Typed FormulaCompiler::items(const Node& node, size_t function, const Item& body,
                             std::vector<Typed> arguments) {
  const Typed& lists = arguments[0];
  Typed index = arguments[1];
  require_index(node, lists, index);
  if (body.takes_numbers && index.dimensions.empty()) {
    return composed(node, arguments.size() == 2 ? first_or_last() : padded(), arguments);
  }
  if (arguments.size() == 2) require_item(node, lists, index);
  std::optional<Typed> condition;
  if (index.element == TypeKind::kBool) {
    common_dimensions(node, {lists, index});  // refuses other sizes
    if (index.dimensions.size() == lists.dimensions.size() && arguments.size() == 2)
      return selected(node, function, lists, index);
    condition = index;
    index = composed(node, places_of_true(), {lists, index});
  }
  // How many lists are around an index, and which of the lists it goes into.
  const size_t depth = index.dimensions.size();
  const size_t level = std::max<size_t>(depth, 1) - 1;

  // A single item is converted when it is found, not all items before.
  const bool is_single = depth == 0 && arguments.size() == 2;
  TypeKind kind = is_single ? lists.element : computed_kind(lists.element);
  Typed otherwise = constant(missing(kind));
  if (arguments.size() > 2) {
    if (lists.dimensions.size() > level + 1 || arguments[2].dimensions.size() > depth) {
      fail(nodes_[node.arguments[2]],
           "only where the items are single values can one stand in for an item that is not there");
    }
    kind = promote(std::array{PromotedOperand{lists.element, false},
                              PromotedOperand{arguments[2].element, arguments[2].is_constant()}});
    otherwise = broadcast(node, convert(arguments[2], kind), index);
  }
  const auto own = lists.dimensions.begin() + static_cast<ptrdiff_t>(level);
  Dimensions dimensions(lists.dimensions.begin(), own);
  if (depth > 0) dimensions.push_back(index.dimensions.back());
  dimensions.insert(dimensions.end(), own + 1, lists.dimensions.end());
  std::vector<Input> inputs{convert(lists, kind).input, convert(index, TypeKind::kInt64).input,
                            convert(otherwise, kind).input};
  if (condition) inputs.push_back(condition->input);
  Typed found = add({.kind = Operation::Kind::kItem,
                     .detail = function,
                     .element = kind,
                     .inputs = std::move(inputs),
                     .result = kind,
                     .dimensions = std::move(dimensions),
                     .place = node.place});
  return convert(std::move(found), computed_kind(kind));
}

Typed FormulaCompiler::selected(const Node& node, size_t function, const Typed& lists,
                                const Typed& conditions) {
  const TypeKind kind = computed_kind(lists.element);
  Dimensions dimensions = lists.dimensions;
  dimensions.back() = kJagged;
  return add({.kind = Operation::Kind::kSelect,
              .detail = function,
              .element = kind,
              .inputs = {convert(lists, kind).input, conditions.input},
              .result = kind,
              .dimensions = std::move(dimensions),
              .place = node.place});
}

void FormulaCompiler::require_index(const Node& node, const Typed& lists, const Typed& index) const {
  if (lists.dimensions.empty()) {
    fail(node, concat(source(nodes_[node.arguments[0]]), " is a single value and has no items"));
  }
  const bool is_condition = index.element == TypeKind::kBool && !index.dimensions.empty();
  if (!is_condition && !is_integer(index)) {
    fail(nodes_[node.arguments[1]],
         concat("an index is an integer, or lists of integers or of bool, and this is ",
                index.type().to_string()));
  }
  if (index.dimensions.size() > lists.dimensions.size()) {
    fail(nodes_[node.arguments[1]],
         concat("an index has no more lists around it than what it goes into, ", lists.type().to_string(),
                ", and this is ", index.type().to_string()));
  }
}

// Lists of a fixed size have an item at a constant index, or they never have.
void FormulaCompiler::require_item(const Node& node, const Typed& lists, const Typed& index) const {
  const std::optional<int64_t> place = known_integer(index);
  const int64_t size = lists.dimensions.front();
  if (!place || size == kJagged || (*place >= -size && *place < size)) return;
  fail(nodes_[node.arguments[1]],
       concat("the index ", *place, " is out of range: ", source(nodes_[node.arguments[0]]), " has ", size,
              size == 1 ? " item" : " items"));
}

// `lists` without the level that is inside of the outermost one, or without all that are.
Typed FormulaCompiler::flattened(const Node& node, const Flattening& body, Typed lists) {
  if (lists.dimensions.size() < 2) {
    fail(node, concat("'", called(node), "' goes over lists of lists, and ",
                      source(nodes_[node.arguments.front()]), " is ", lists.type().to_string()));
  }
  lists = convert(lists, computed_kind(lists.element));
  do {
    const int64_t outer = lists.dimensions[0];
    const int64_t inner = lists.dimensions[1];
    const bool is_fixed = outer != kJagged && inner != kJagged;
    if (is_fixed && outer > 0 && inner > kMaxItems / outer) countable(node, kMaxItems + 1);
    Dimensions dimensions(lists.dimensions.begin() + 1, lists.dimensions.end());
    dimensions.front() = is_fixed ? outer * inner : kJagged;
    lists = add({.kind = Operation::Kind::kFlatten,
                 .element = lists.element,
                 .inputs = {lists.input},
                 .result = lists.element,
                 .dimensions = std::move(dimensions),
                 .place = node.place});
  } while (body.of_all_levels && lists.dimensions.size() > 1);
  return lists;
}

Typed FormulaCompiler::concatenation(const Node& node, size_t function, std::vector<Typed> parts) {
  std::vector<PromotedOperand> operands;
  Dimensions dimensions = parts.front().dimensions;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Typed& part = parts[i];
    if (part.dimensions.empty() || part.dimensions.size() != dimensions.size()) {
      fail(nodes_[node.arguments[i]],
           concat("'", called(node), "' joins lists of one depth, and this is ", part.type().to_string()));
    }
    operands.push_back({part.element, false});
    if (i == 0) continue;
    const bool is_fixed = dimensions.front() != kJagged && part.dimensions.front() != kJagged;
    dimensions.front() = is_fixed ? countable(node, dimensions.front() + part.dimensions.front()) : kJagged;
    for (size_t level = 1; level < dimensions.size(); ++level) {
      if (dimensions[level] != part.dimensions[level]) dimensions[level] = kJagged;
    }
  }
  const TypeKind kind = promote(operands);
  std::vector<Input> inputs;
  for (Typed& part : parts) inputs.push_back(convert(std::move(part), kind).input);
  return add({.kind = Operation::Kind::kConcatenation,
              .detail = function,
              .element = kind,
              .inputs = std::move(inputs),
              .result = kind,
              .dimensions = std::move(dimensions),
              .place = node.place});
}

}  // namespace sapwood::expr
