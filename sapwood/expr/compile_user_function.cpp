#include <algorithm>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/expr/formula_compiler.h"
#include "sapwood/expr/point_at.h"
#include "sapwood/expr/promotion.h"

namespace sapwood::expr {

Typed FormulaCompiler::user_function(const Node& node, const std::shared_ptr<const UserFunction>& function,
                                     std::vector<Typed> arguments) {
  if (std::ranges::all_of(arguments, &Typed::is_constant))
    fail(node, concat("'", node.name, "' is called with no column"));
  const auto text = std::ranges::find(arguments, TypeKind::kString, &Typed::element);
  if (text != arguments.end()) {
    const Node& argument = nodes_[node.arguments[static_cast<size_t>(text - arguments.begin())]];
    fail(argument, concat(source(argument), " is ", text->type().to_string(), "; functions take numbers"));
  }
  for (Typed& argument : arguments) {
    const TypeKind kind = computed_kind(argument.element);
    argument = convert(std::move(argument), kind);
  }
  Typed result;
  if (function->is_elementwise()) {
    result.dimensions = common_dimensions(node, arguments);
    const Typed deepest = *std::ranges::find_if(arguments, [&](const Typed& argument) {
      return !argument.is_constant() && argument.dimensions.size() == result.dimensions.size();
    });
    for (Typed& argument : arguments) argument = broadcast(node, argument, deepest);
  }
  std::vector<Type> types;
  std::vector<Input> inputs;
  for (const Typed& argument : arguments) {
    types.push_back(function->is_elementwise() ? Type(argument.element) : argument.type());
    inputs.push_back(argument.input);
  }
  const Type declared = result_type(node, *function, types);
  const Type* innermost = &declared;
  for (; innermost->kind == TypeKind::kList || innermost->kind == TypeKind::kFixedList;
       innermost = &innermost->item()) {
    result.dimensions.push_back(innermost->kind == TypeKind::kList ? kJagged : innermost->fixed_size);
  }
  const bool is_list = innermost != &declared;
  if (std::ranges::find(kComputedKinds, innermost->kind) == kComputedKinds.end() ||
      (is_list && function->is_elementwise())) {
    fail(node, concat("'", node.name, "' gives ", declared.to_string(),
                      "; functions give bool, int64, float32 or float64, or lists of such"));
  }
  auto& functions = program_.functions;
  const auto found = std::ranges::find(functions, function);
  const auto place = static_cast<size_t>(found - functions.begin());
  if (found == functions.end()) functions.push_back(function);
  return add({.kind = Operation::Kind::kUserFunction,
              .detail = place,
              .element = innermost->kind,
              .inputs = std::move(inputs),
              .result = innermost->kind,
              .dimensions = std::move(result.dimensions),
              .place = node.place});
}

Type FormulaCompiler::result_type(const Node& node, const UserFunction& function,
                                  const std::vector<Type>& arguments) const {
  try {
    return function.result_type(arguments);
  } catch (const ConfigError& error) {
    fail(node, error.message());
  }
}

}  // namespace sapwood::expr
