#include "sapwood/expr/estimate.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "sapwood/expr/function.h"

namespace sapwood::expr {
namespace {

// What has more is refused when it is computed.
constexpr auto kMost = static_cast<double>(kMaxItems);

// Whether each index is given at most once in a list, so that the items at them are no more than before.
bool is_choice(const Program& program, const Input& index) {
  if (index.is_constant) return true;
  const Operation& operation = program.operations[index.index];
  return operation.dimensions.empty() ||
         (operation.kind == Operation::Kind::kIndices &&
          std::get<IndexFunction>(functions()[operation.detail].body).expected == nullptr);
}

// Of the result per entry, from those of the steps before.
double most_values(const Program& program, const Operation& operation, std::span<const double> values) {
  if (operation.dimensions.empty()) return 1;
  std::vector<double> inputs;
  for (const Input& input : operation.inputs) {
    const bool is_number = input.is_constant && operation.kind == Operation::Kind::kIndices;
    inputs.push_back(is_number           ? static_cast<double>(program.constants[input.index].as<int64_t>())
                     : input.is_constant ? 1
                                         : values[input.index]);
  }
  switch (operation.kind) {
    case Operation::Kind::kIndices: {
      const auto& function = std::get<IndexFunction>(functions()[operation.detail].body);
      return function.expected == nullptr ? inputs.front() : function.expected(inputs);
    }
    case Operation::Kind::kItem: {
      const bool has_items_below =
          !operation.inputs[1].is_constant &&
          program.operations[operation.inputs[1].index].dimensions.size() < operation.dimensions.size();
      if (has_items_below && !is_choice(program, operation.inputs[1])) return inputs[0] * inputs[1];
      break;
    }
    case Operation::Kind::kConcatenation:
      return std::accumulate(inputs.begin(), inputs.end(), 0.0);
    default:
      break;
  }
  return *std::ranges::max_element(inputs);
}

// Places of items and runs of them, while lists are made.
double passing_bytes(const Operation& operation, double values) {
  switch (operation.kind) {
    case Operation::Kind::kItem:
      return 2 * sizeof(int64_t) * values;
    case Operation::Kind::kConcatenation:
      return 3.0 * sizeof(int64_t) * static_cast<double>(operation.inputs.size());
    default:
      return 0;
  }
}

// Besides the elements.
double level_bytes(const Operation& operation, double values) {
  const bool makes_all = operation.kind == Operation::Kind::kItem ||
                         operation.kind == Operation::Kind::kSelect ||
                         operation.kind == Operation::Kind::kConcatenation;
  const auto levels = static_cast<double>(operation.dimensions.size());
  return sizeof(int64_t) * (makes_all ? 1 + (levels - 1) * values : 1);
}

}  // namespace

std::vector<double> values_per_entry(const Program& program, std::span<const double> of_columns) {
  std::vector<double> values;
  for (const Operation& operation : program.operations) {
    values.push_back(operation.kind == Operation::Kind::kLoad
                         ? of_columns[operation.detail]
                         : std::clamp(most_values(program, operation, values), 1.0, kMost));
  }
  return values;
}

double work_bytes(const Program& program, std::span<const double> of_columns) {
  const std::vector<double> values = values_per_entry(program, of_columns);
  const std::vector<size_t> last_uses = program.last_uses();
  std::vector<double> held(program.operations.size());
  double sum = 0;
  double most = 0;
  for (size_t i = 0; i < held.size(); ++i) {
    const Operation& operation = program.operations[i];
    if (operation.kind != Operation::Kind::kLoad) {
      const auto size = static_cast<double>(primitive_size(operation.result));
      held[i] = operation.dimensions.empty() ? size : values[i] * size + level_bytes(operation, values[i]);
    }
    sum += held[i];
    most = std::max(most, sum + passing_bytes(operation, values[i]));
    for (const Input& input : operation.inputs) {
      if (!input.is_constant && last_uses[input.index] == i) sum -= std::exchange(held[input.index], 0);
    }
  }
  return most;
}

}  // namespace sapwood::expr
