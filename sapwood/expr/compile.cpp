#include <algorithm>
#include <map>
#include <numbers>
#include <tuple>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/base/names.h"
#include "sapwood/expr/convert_elements.h"
#include "sapwood/expr/formula_compiler.h"
#include "sapwood/expr/names.h"
#include "sapwood/expr/point_at.h"
#include "sapwood/expr/promotion.h"

namespace sapwood::expr {
namespace {

constexpr size_t kMaxDefinitions = 200;  // that use one another: each takes some stack

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

Type Typed::type() const {
  Type type(element);
  for (auto size = dimensions.rbegin(); size != dimensions.rend(); ++size) {
    type = *size == kJagged ? Type::list(std::move(type)) : Type::fixed_list(std::move(type), *size);
  }
  return type;
}

FormulaCompiler::FormulaCompiler(Compiler& compiler, std::string text, std::vector<Node> nodes,
                                 const Schema& schema, size_t depth)
    : compiler_(compiler),
      program_(compiler.program_),
      schema_(schema),
      depth_(depth),
      text_(program_.texts.size()),
      nodes_(std::move(nodes)) {
  program_.texts.push_back(std::move(text));
}

FormulaCompiler::FormulaCompiler(const FormulaCompiler& caller, const Node& call, std::vector<Node> nodes,
                                 std::map<std::string_view, Typed> parameters)
    : compiler_(caller.compiler_),
      program_(caller.program_),
      schema_(caller.schema_),
      depth_(caller.depth_),
      text_(caller.text_),
      nodes_(std::move(nodes)),
      parameters_(std::move(parameters)),
      called_(caller.called(call)) {}

Result FormulaCompiler::compile() {
  const Typed& whole = compile_parts();
  if (whole.is_constant() && whole.element == TypeKind::kString) {
    fail(nodes_.back(), "a string is no formula: strings are compared, with == and !=");
  }
  if (column_type_) return {whole.input, *column_type_};
  return {whole.input, Typed{.element = computed_kind(whole.element), .dimensions = whole.dimensions}.type()};
}

const Typed& FormulaCompiler::compile_parts() {
  for (const Node& node : nodes_) parts_.push_back(part(node));
  return parts_.back();
}

void FormulaCompiler::fail(const Node& node, std::string_view message) const {
  throw ConfigError(point_at(text(), node.place, message));
}

std::string FormulaCompiler::source(const Node& node) const {
  return printable(std::string_view(text()).substr(node.begin, node.end - node.begin));
}

Typed FormulaCompiler::part(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kConstant:
      return constant(node.constant);
    case Node::Kind::kName:
      return name(node);
    case Node::Kind::kString:
      return string(node);
    case Node::Kind::kCall:
      break;
  }
  return call(node);
}

Typed FormulaCompiler::constant(const Constant& value) {
  const auto [found, is_new] = compiler_.constant_places_.emplace(value, program_.constants.size());
  if (is_new) program_.constants.push_back(value);
  return {.input = {true, found->second}, .element = value.kind};
}

Typed FormulaCompiler::name(const Node& node) {
  if (const auto parameter = parameters_.find(node.name); parameter != parameters_.end())
    return parameter->second;
  const auto index = schema_.find(node.name);
  if (!index) {
    const std::optional<double> value = node.quoted ? std::nullopt : find_constant(node.name);
    if (value) return constant(Constant::of(*value));
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
  if (innermost->kind == TypeKind::kStruct && nodes_.size() > 1) {
    throw SchemaError(point_at(text(), node.place,
                               concat("column '", printable(node.name), "' is of type ", type.to_string(),
                                      "; formulas compute with numbers, bool and strings")));
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
Result FormulaCompiler::defined(const Node& node, const std::string& definition) {
  const auto [place, is_new] = compiler_.defined_.try_emplace(node.name);
  if (is_new) {
    if (depth_ == kMaxDefinitions)
      fail(node, concat("more than ", kMaxDefinitions, " definitions on top of each other"));
    place->second = FormulaCompiler(compiler_, definition, parse(definition), schema_, depth_ + 1).compile();
    program_.definitions.push_back({node.name, definition});
  } else if (!place->second) {
    fail(node, concat("column '", printable(node.name), "' is defined by itself"));
  }
  return *place->second;
}

void FormulaCompiler::fail_unknown(const Node& node) const {
  std::vector<std::string> names;
  for (const ColumnInfo& column : schema_.columns()) names.push_back(column.name);
  const bool is_called_so = !node.quoted && is_function(node.name);
  throw SchemaError(
      point_at(text(), node.place,
               concat("no column '", printable(node.name), "'", nearest_names_hint(node.name, names),
                      is_called_so ? "; the function of that name has its arguments in parentheses" : "")));
}

Typed FormulaCompiler::call(const Node& node) {
  if (node.arguments.empty() && node.name == "TMath::Pi") return constant(Constant::of(std::numbers::pi));
  std::vector<Typed> arguments;
  for (const size_t argument : node.arguments) arguments.push_back(parts_[argument]);
  const auto& of_users = schema_.functions();
  const auto of_user = std::ranges::find(of_users, node.name, [](const auto& each) { return each->name(); });
  if (of_user != of_users.end()) return user_function(node, *of_user, std::move(arguments));
  const size_t place = function_of(node);
  if (std::ranges::find(arguments, TypeKind::kString, &Typed::element) != arguments.end()) {
    return compared_strings(node, place, std::move(arguments));
  }
  const auto& body = functions()[place].body;
  if (const auto* function = std::get_if<Elementwise>(&body)) {
    return elementwise(node, place, *function, std::move(arguments));
  }
  if (const auto* function = std::get_if<ListFunction>(&body)) {
    return list_function(node, place, *function, std::move(arguments.front()));
  }
  if (const auto* function = std::get_if<IndexFunction>(&body)) {
    return indices(node, place, *function, std::move(arguments));
  }
  if (const auto* function = std::get_if<Composition>(&body)) return composed(node, *function, arguments);
  if (const auto* function = std::get_if<Item>(&body))
    return items(node, place, *function, std::move(arguments));
  if (const auto* function = std::get_if<Flattening>(&body))
    return flattened(node, *function, std::move(arguments.front()));
  return concatenation(node, place, std::move(arguments));
}

size_t FormulaCompiler::function_of(const Node& node) const {
  try {
    std::vector<std::string> of_users;
    for (const auto& function : schema_.functions()) of_users.push_back(function->name());
    return find_function(node.name, node.arguments.size(), std::move(of_users));
  } catch (const SchemaError& error) {
    throw SchemaError(point_at(text(), node.place, error.message()));
  } catch (const ConfigError& error) {
    fail(node, error.message());
  }
}

// The parameters stand for the arguments, also where errors show the formula.
Typed FormulaCompiler::composed(const Node& node, const Composition& body,
                                const std::vector<Typed>& arguments) {
  std::map<std::string_view, Typed> parameters;
  for (size_t i = 0; i < body.parameters.size(); ++i) parameters.emplace(body.parameters[i], arguments[i]);
  std::vector<Node> parts = parse(chosen_formula(node, body, arguments));
  for (Node& inner : parts) {
    const auto parameter = std::ranges::find(body.parameters, inner.name);
    if (inner.kind == Node::Kind::kName && parameter != body.parameters.end()) {
      const auto place = static_cast<size_t>(parameter - body.parameters.begin());
      const Node& argument = nodes_[node.arguments[place]];
      std::tie(inner.place, inner.begin, inner.end) = std::tie(argument.place, argument.begin, argument.end);
    } else {
      inner.place = node.place;
      inner.begin = nodes_[node.arguments.front()].begin;
      inner.end = nodes_[node.arguments.back()].end;
    }
  }
  return FormulaCompiler(*this, node, std::move(parts), std::move(parameters)).compile_parts();
}

std::string_view FormulaCompiler::chosen_formula(const Node& node, const Composition& body,
                                                 const std::vector<Typed>& arguments) const {
  if (body.formulas.size() == 1) return body.formulas.front();
  const std::optional<int64_t> choice = known_integer(arguments.back());
  if (choice && *choice >= 0 && static_cast<size_t>(*choice) < body.formulas.size()) {
    return body.formulas[static_cast<size_t>(*choice)];
  }
  fail(nodes_[node.arguments.back()],
       concat("the last argument of '", called(node), "' is a number from 0 to ", body.formulas.size() - 1));
}

Typed FormulaCompiler::elementwise(const Node& node, size_t function, const Elementwise& body,
                                   std::vector<Typed> operands) {
  const TypeKind kind = operand_kind(node, body, operands);
  if (body.divides && called_.empty() && is_zero(operands[1]))
    fail(nodes_[node.arguments[1]], "division by zero");
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
TypeKind FormulaCompiler::operand_kind(const Node& node, const Elementwise& body,
                                       const std::vector<Typed>& operands) const {
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
    fail(node, concat("'", called(node), "' takes ", accepted_kinds(body.overloads), ", not ",
                      Type(promoted).to_string()));
  }
  return kind;
}

std::optional<int64_t> FormulaCompiler::known_integer(const Typed& operand) const {
  if (!operand.is_constant() || operand.element != TypeKind::kInt64) return std::nullopt;
  return program_.constants[operand.input.index].as<int64_t>();
}

bool FormulaCompiler::is_zero(const Typed& operand) const {
  if (!operand.is_constant()) return false;
  return !convert_constant(program_.constants[operand.input.index], TypeKind::kBool).as<bool>();
}

Typed FormulaCompiler::fold(const Overload<ElementwiseKernel>& overload, const std::vector<Typed>& operands) {
  std::vector<Operand> inputs;
  for (const Typed& operand : operands) {
    inputs.push_back({program_.constants[operand.input.index].data(), false});
  }
  Constant result{.kind = overload.result};
  overload.kernel(inputs, result.data(), 1);
  return constant(result);
}

Dimensions FormulaCompiler::common_dimensions(const Node& node, const std::vector<Typed>& operands) const {
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
             concat("'", called(node), "' can't combine lists of ", *size, " items with lists of ", own));
      }
      size = own;
    }
    common.push_back(is_jagged ? kJagged : *size);
  }
  return common;
}

Typed FormulaCompiler::convert(Typed part, TypeKind kind) {
  if (part.element == kind) return part;
  if (part.is_constant()) return constant(convert_constant(program_.constants[part.input.index], kind));
  return add({.kind = Operation::Kind::kConvert,
              .element = kind,
              .inputs = {part.input},
              .result = kind,
              .dimensions = std::move(part.dimensions)});
}

// `part` with a value for each item of `like`, which has as many lists around its elements or more.
Typed FormulaCompiler::broadcast(const Node& node, const Typed& part, const Typed& like) {
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
Typed FormulaCompiler::add(Operation operation) {
  operation.text = text_;
  auto key = std::tuple(operation.kind, operation.detail, operation.element, operation.inputs);
  const auto [found, is_new] =
      compiler_.operation_places_.emplace(std::move(key), program_.operations.size());
  if (is_new) program_.operations.push_back(std::move(operation));
  const Operation& step = program_.operations[found->second];
  return {.input = {false, found->second}, .element = step.result, .dimensions = step.dimensions};
}

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
