#include <algorithm>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/expr/formula_compiler.h"

namespace sapwood::expr {
namespace {

bool is_unequal(size_t function) { return functions()[function].names.front() == "!="; }
Composition negated() { return {{"x"}, {"!x"}}; }

}  // namespace

Typed FormulaCompiler::string(const Node& node) {
  auto& strings = program_.strings;
  const auto place = static_cast<size_t>(std::ranges::find(strings, node.name) - strings.begin());
  if (place == strings.size()) strings.push_back(node.name);
  return {.input = {true, place}, .element = TypeKind::kString};
}

Typed FormulaCompiler::compared_strings(const Node& node, size_t function, std::vector<Typed> operands) {
  require_comparable(node, function, operands);
  if (operands[0].is_constant()) std::swap(operands[0], operands[1]);
  if (operands[0].is_constant()) {
    const bool is_same = operands[0].input == operands[1].input;
    return constant(Constant::of(is_same != is_unequal(function)));
  }
  Operation operation{.kind = Operation::Kind::kSameStrings,
                      .element = TypeKind::kString,
                      .inputs = {operands[0].input},
                      .result = TypeKind::kBool,
                      .dimensions = operands[0].dimensions,
                      .place = node.place};
  if (operands[1].is_constant()) {
    operation.detail = operands[1].input.index;
  } else {
    operation.dimensions = common_dimensions(node, operands);
    operation.inputs.push_back(operands[1].input);
  }
  const Typed same = add(std::move(operation));
  return is_unequal(function) ? composed(node, negated(), {same}) : same;
}

void FormulaCompiler::require_comparable(const Node& node, size_t function,
                                         const std::vector<Typed>& operands) const {
  const auto is_string = [](const Typed& operand) { return operand.element == TypeKind::kString; };
  if (functions()[function].names.front() != "==" && !is_unequal(function)) {
    const auto place = std::ranges::find_if(operands, is_string) - operands.begin();
    const Node& argument = nodes_[node.arguments[static_cast<size_t>(place)]];
    fail(argument, concat(source(argument), " is ", operands[static_cast<size_t>(place)].type().to_string(),
                          "; strings are only compared, with == and !="));
  }
  const bool has_constant = operands[0].is_constant() || operands[1].is_constant();
  const bool is_as_deep = operands[0].dimensions.size() == operands[1].dimensions.size();
  if (std::ranges::all_of(operands, is_string) && (has_constant || is_as_deep)) return;
  fail(node, concat("'", called(node), "' can't compare ", operands[0].type().to_string(), " with ",
                    operands[1].type().to_string()));
}

}  // namespace sapwood::expr
