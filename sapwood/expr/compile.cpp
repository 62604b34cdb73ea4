#include <algorithm>
#include <limits>
#include <map>
#include <numbers>
#include <optional>
#include <tuple>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/base/names.h"
#include "sapwood/expr/convert_elements.h"
#include "sapwood/expr/names.h"
#include "sapwood/expr/parser.h"
#include "sapwood/expr/point_at.h"
#include "sapwood/expr/program.h"
#include "sapwood/expr/promotion.h"

namespace sapwood::expr {
namespace {

constexpr size_t kMaxDefinitions = 200;  // that use one another: each takes some stack

// A part of the formula with its type.
struct Typed {
  Input input{};
  TypeKind element{};
  Dimensions dimensions{};
  bool is_constant() const { return input.is_constant; }
};

Type type_with(const Dimensions& dimensions, TypeKind element) {
  Type type(element);
  for (auto size = dimensions.rbegin(); size != dimensions.rend(); ++size) {
    type = *size == kJagged ? Type::list(std::move(type)) : Type::fixed_list(std::move(type), *size);
  }
  return type;
}

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

template <class Kernel>
std::string accepted_kinds(const Overloads<Kernel>& overloads) {
  std::string text;
  for (const TypeKind kind : kComputedKinds) {
    if (overloads[place_of(kind)].kernel == nullptr) continue;
    text += (text.empty() ? "" : " or ") + Type(kind).to_string();
  }
  return text;
}

}  // namespace

class FormulaCompiler {
 public:
  FormulaCompiler(Compiler& compiler, std::string text, std::vector<Node> nodes, const Schema& schema,
                  size_t depth = 0)
      : compiler_(compiler),
        program_(compiler.program_),
        schema_(schema),
        depth_(depth),
        text_(program_.texts.size()),
        nodes_(std::move(nodes)) {
    program_.texts.push_back(std::move(text));
  }

  Result compile() {
    for (const Node& node : nodes_) parts_.push_back(part(node));
    const Typed& whole = parts_.back();
    if (column_type_) return {whole.input, *column_type_};
    return {whole.input, type_with(whole.dimensions, computed_kind(whole.element))};
  }

 private:
  const std::string& text() const { return program_.texts[text_]; }
  [[noreturn]] void fail(const Node& node, std::string_view message) const {
    throw ConfigError(point_at(text(), node.place, message));
  }
  std::string source(const Node& node) const {
    return printable(std::string_view(text()).substr(node.begin, node.end - node.begin));
  }

  Typed part(const Node& node) {
    switch (node.kind) {
      case Node::Kind::kConstant:
        return constant(node.constant);
      case Node::Kind::kName:
        return name(node);
      case Node::Kind::kCall:
        break;
    }
    return call(node);
  }

  Typed constant(const Constant& value) {
    const auto [found, is_new] = compiler_.constant_places_.emplace(value, program_.constants.size());
    if (is_new) program_.constants.push_back(value);
    return {.input = {true, found->second}, .element = value.kind};
  }

  Typed name(const Node& node) {
    const auto index = schema_.find(node.name);
    if (!index) {
      if (!node.quoted && without_library(node.name) == "pi") return constant(Constant::of(std::numbers::pi));
      fail_unknown(node);
    }
    schema_.require(node.name);
    const ColumnInfo& info = schema_[*index];
    const bool is_stored = info.definition.empty();
    const Result given = is_stored ? Result{.type = info.type} : defined(node, info.definition);
    const Type& type = given.type;
    Typed result{.input = given.input};
    const Type* innermost = &type;
    for (; innermost->kind == TypeKind::kList || innermost->kind == TypeKind::kFixedList;
         innermost = &innermost->item()) {
      result.dimensions.push_back(innermost->kind == TypeKind::kList ? kJagged : innermost->fixed_size);
    }
    result.element = innermost->kind;
    if (!innermost->is_primitive() && nodes_.size() > 1) {
      throw SchemaError(point_at(text(), node.place,
                                 concat("column '", printable(node.name), "' is of type ", type.to_string(),
                                        "; formulas compute with numbers and bool")));
    }
    if (nodes_.size() == 1) column_type_ = type;
    if (!is_stored) return result;
    const auto column = std::find(program_.columns.begin(), program_.columns.end(), node.name);
    const auto place = static_cast<size_t>(column - program_.columns.begin());
    if (column == program_.columns.end()) {
      program_.columns.push_back(node.name);
      program_.column_types.push_back(type);
    }
    return add({.kind = Operation::Kind::kLoad,
                .detail = place,
                .element = result.element,
                .result = result.element,
                .dimensions = std::move(result.dimensions),
                .place = node.place});
  }

  // What a column that is defined by a formula gives.
  Result defined(const Node& node, const std::string& definition) {
    const auto [place, is_new] = compiler_.defined_.try_emplace(node.name);
    if (is_new) {
      if (depth_ == kMaxDefinitions)
        fail(node, concat("more than ", kMaxDefinitions, " definitions on top of each other"));
      place->second =
          FormulaCompiler(compiler_, definition, parse(definition), schema_, depth_ + 1).compile();
      program_.definitions.push_back({node.name, definition});
    } else if (!place->second) {
      fail(node, concat("column '", printable(node.name), "' is defined by itself"));
    }
    return *place->second;
  }

  [[noreturn]] void fail_unknown(const Node& node) const {
    const std::string shown = printable(node.name);
    if (!node.quoted && is_function(node.name)) {
      fail(node, concat("'", shown, "' is a function; its arguments are to follow in parentheses"));
    }
    std::vector<std::string> names;
    for (const ColumnInfo& column : schema_.columns()) names.push_back(column.name);
    throw SchemaError(point_at(text(), node.place,
                               concat("no column '", shown, "'", nearest_names_hint(node.name, names))));
  }

  Typed call(const Node& node) {
    if (node.arguments.empty() && node.name == "TMath::Pi") return constant(Constant::of(std::numbers::pi));
    const size_t place = function_of(node);
    const Function& function = functions()[place];
    std::vector<Typed> arguments;
    for (const size_t argument : node.arguments) arguments.push_back(parts_[argument]);
    if (const auto* elementwise = std::get_if<Elementwise>(&function.body)) {
      return this->elementwise(node, place, *elementwise, std::move(arguments));
    }
    if (const auto* reduction = std::get_if<Reduction>(&function.body)) {
      return this->reduction(node, place, *reduction, std::move(arguments.front()));
    }
    return item(node, place, std::move(arguments));
  }

  size_t function_of(const Node& node) const {
    try {
      return find_function(node.name, node.arguments.size());
    } catch (const SchemaError& error) {
      throw SchemaError(point_at(text(), node.place, error.message()));
    } catch (const ConfigError& error) {
      fail(node, error.message());
    }
  }

  Typed elementwise(const Node& node, size_t function, const Elementwise& body, std::vector<Typed> operands) {
    const TypeKind kind = operand_kind(node, body, operands);
    for (size_t i = 0; i < operands.size(); ++i) {
      operands[i] = convert(std::move(operands[i]), i < body.num_conditions ? TypeKind::kBool : kind);
    }
    const Overload<ElementwiseKernel>& overload = body.overloads[place_of(kind)];
    if (std::all_of(operands.begin(), operands.end(), [](const Typed& o) { return o.is_constant(); })) {
      return fold(overload, operands);
    }
    Dimensions dimensions = common_dimensions(node, operands);
    const auto deepest = std::find_if(operands.begin(), operands.end(), [&](const Typed& operand) {
      return !operand.is_constant() && operand.dimensions.size() == dimensions.size();
    });
    std::vector<Input> inputs;
    for (const Typed& operand : operands) inputs.push_back(broadcast(node, operand, *deepest).input);
    return add({.kind = Operation::Kind::kElementwise,
                .detail = function,
                .element = kind,
                .inputs = std::move(inputs),
                .result = overload.result,
                .dimensions = std::move(dimensions),
                .place = node.place});
  }

  // The kind with which the operands that are no conditions are computed.
  TypeKind operand_kind(const Node& node, const Elementwise& body, const std::vector<Typed>& operands) const {
    std::vector<PromotedOperand> promoted_operands;
    std::vector<std::optional<int64_t>> known;
    for (size_t i = body.num_conditions; i < operands.size(); ++i) {
      promoted_operands.push_back({operands[i].element, operands[i].is_constant()});
      known.push_back(known_integer(operands[i]));
    }
    TypeKind promoted = promote(promoted_operands);
    const bool is_integer = promoted == TypeKind::kInt64 || promoted == TypeKind::kBool;
    if (is_integer && body.needs_floating != nullptr && body.needs_floating(known)) {
      promoted = TypeKind::kFloat64;
    }
    const TypeKind kind = choose_overload(body.overloads, promoted);
    if (kind == TypeKind::kString) {
      fail(node, concat("'", node.name, "' takes ", accepted_kinds(body.overloads), ", not ",
                        Type(promoted).to_string()));
    }
    return kind;
  }

  std::optional<int64_t> known_integer(const Typed& operand) const {
    if (!operand.is_constant() || operand.element != TypeKind::kInt64) return std::nullopt;
    return program_.constants[operand.input.index].as<int64_t>();
  }

  Typed fold(const Overload<ElementwiseKernel>& overload, const std::vector<Typed>& operands) {
    std::vector<Operand> inputs;
    for (const Typed& operand : operands) {
      inputs.push_back({program_.constants[operand.input.index].data(), false});
    }
    Constant result{.kind = overload.result};
    overload.kernel(inputs, result.data(), 1);
    return constant(result);
  }

  Dimensions common_dimensions(const Node& node, const std::vector<Typed>& operands) const {
    size_t depth = 0;
    for (const Typed& operand : operands) depth = std::max(depth, operand.dimensions.size());
    Dimensions common;
    for (size_t level = 0; level < depth; ++level) {
      bool is_jagged = false;
      std::optional<int64_t> size;
      for (const Typed& operand : operands) {
        if (operand.dimensions.size() <= level) continue;
        const int64_t own = operand.dimensions[level];
        is_jagged = is_jagged || own == kJagged;
        if (own == kJagged) continue;
        if (size && *size != own) {
          fail(node,
               concat("'", node.name, "' can't combine lists of ", *size, " items with lists of ", own));
        }
        size = own;
      }
      common.push_back(is_jagged ? kJagged : *size);
    }
    return common;
  }

  Typed reduction(const Node& node, size_t function, const Reduction& body, Typed lists) {
    if (lists.dimensions.empty()) {
      fail(node, concat("'", node.name, "' goes over a list, and ", source(nodes_[node.arguments.front()]),
                        " is a single value"));
    }
    TypeKind kind = TypeKind::kBool;
    if (!body.takes_conditions && !body.takes_any) {
      kind = choose_overload(body.overloads, computed_kind(lists.element));
    }
    if (!body.takes_any) lists = convert(std::move(lists), kind);
    Dimensions dimensions = std::move(lists.dimensions);
    dimensions.pop_back();
    return add({.kind = Operation::Kind::kReduction,
                .detail = function,
                .element = kind,
                .inputs = {lists.input},
                .result = body.overloads[place_of(kind)].result,
                .dimensions = std::move(dimensions),
                .place = node.place});
  }

  Typed item(const Node& node, size_t function, std::vector<Typed> arguments) {
    const Typed& lists = arguments[0];
    const Typed& index = arguments[1];
    if (lists.dimensions.empty()) {
      fail(node, concat(source(nodes_[node.arguments[0]]), " is a single value and has no items"));
    }
    const bool is_integer = computed_kind(index.element) == TypeKind::kInt64 && index.dimensions.empty();
    if (!is_integer) {
      fail(nodes_[node.arguments[1]], "an index is one integer for each entry, and this is " +
                                          type_with(index.dimensions, index.element).to_string());
    }
    TypeKind kind = computed_kind(lists.element);
    Typed otherwise = constant(missing(kind));
    if (arguments.size() > 2) {
      if (lists.dimensions.size() > 1 || !arguments[2].dimensions.empty()) {
        fail(nodes_[node.arguments[2]],
             "only where the items are single values can one stand in for an item that is not there");
      }
      otherwise = arguments[2];
      kind = promote(std::array{PromotedOperand{lists.element, false},
                                PromotedOperand{otherwise.element, otherwise.is_constant()}});
    }
    Dimensions dimensions(lists.dimensions.begin() + 1, lists.dimensions.end());
    std::vector<Input> inputs{convert(lists, kind).input, convert(index, TypeKind::kInt64).input,
                              convert(otherwise, kind).input};
    return add({.kind = Operation::Kind::kItem,
                .detail = function,
                .element = kind,
                .inputs = std::move(inputs),
                .result = kind,
                .dimensions = std::move(dimensions),
                .place = node.place});
  }

  Typed convert(Typed part, TypeKind kind) {
    if (part.element == kind) return part;
    if (part.is_constant()) return constant(convert_constant(program_.constants[part.input.index], kind));
    return add({.kind = Operation::Kind::kConvert,
                .element = kind,
                .inputs = {part.input},
                .result = kind,
                .dimensions = std::move(part.dimensions)});
  }

  // `part` with a value for each item of `like`, which has as many lists around its elements or more.
  Typed broadcast(const Node& node, const Typed& part, const Typed& like) {
    if (part.is_constant() || part.dimensions.size() == like.dimensions.size()) return part;
    Dimensions dimensions = part.dimensions;
    dimensions.insert(dimensions.end(),
                      like.dimensions.begin() + static_cast<ptrdiff_t>(part.dimensions.size()),
                      like.dimensions.end());
    return add({.kind = Operation::Kind::kBroadcast,
                .element = part.element,
                .inputs = {part.input, like.input},
                .result = part.element,
                .dimensions = std::move(dimensions),
                .place = node.place});
  }

  // Adds a step, or finds the one that does the same.
  Typed add(Operation operation) {
    operation.text = text_;
    auto key = std::tuple(operation.kind, operation.detail, operation.element, operation.inputs);
    const auto [found, is_new] =
        compiler_.operation_places_.emplace(std::move(key), program_.operations.size());
    if (is_new) program_.operations.push_back(std::move(operation));
    const Operation& step = program_.operations[found->second];
    return {.input = {false, found->second}, .element = step.result, .dimensions = step.dimensions};
  }

  Compiler& compiler_;
  Program& program_;
  const Schema& schema_;
  size_t depth_;  // definitions around this formula
  size_t text_;   // its place among the program's texts
  std::vector<Node> nodes_;
  std::vector<Typed> parts_;
  std::optional<Type> column_type_;  // when the formula is that column alone
};

void Compiler::add(std::string text, const Schema& schema) {
  std::vector<Node> nodes = parse(text);
  program_.results.push_back(FormulaCompiler(*this, std::move(text), std::move(nodes), schema).compile());
}

void Compiler::add_column(const std::string& name, const Schema& schema) {
  std::vector<Node> nodes{{.kind = Node::Kind::kName, .name = name, .quoted = true, .end = name.size()}};
  program_.results.push_back(FormulaCompiler(*this, name, std::move(nodes), schema).compile());
}

std::vector<size_t> Program::last_uses() const {
  std::vector<size_t> uses;
  for (size_t i = 0; i < operations.size(); ++i) {
    uses.push_back(i);
    for (const Input& input : operations[i].inputs) {
      if (!input.is_constant) uses[input.index] = i;
    }
  }
  for (const Result& result : results) {
    if (!result.input.is_constant) uses[result.input.index] = operations.size();
  }
  return uses;
}

}  // namespace sapwood::expr
