#include "sapwood/expr/evaluate.h"

#include <algorithm>

#include "sapwood/base/error.h"
#include "sapwood/expr/convert_elements.h"
#include "sapwood/expr/point_at.h"
#include "sapwood/expr/promotion.h"
#include "sapwood/expr/value.h"

namespace sapwood::expr {
namespace {

class Evaluation {
 public:
  Evaluation(const Program& program, std::span<const Column> columns, const std::shared_ptr<MemoryPool>& pool)
      : program_(program), columns_(columns), pool_(pool), values_(program.operations.size()) {}

  Value run() {
    for (size_t i = 0; i < values_.size(); ++i) {
      const Operation& operation = program_.operations[i];
      values_[i] = step(operation);
      for (const Input& input : operation.inputs) {
        if (!input.is_constant && program_.last_uses[input.index] == i) values_[input.index] = {};
      }
    }
    return std::move(values_[program_.result.index]);
  }

 private:
  Value step(const Operation& operation) {
    switch (operation.kind) {
      case Operation::Kind::kLoad:
        return value_of(columns_[operation.detail]);
      case Operation::Kind::kConvert:
        return convert(operation);
      case Operation::Kind::kBroadcast: {
        const Value& part = value(operation.inputs[0]);
        const Value& like = value(operation.inputs[1]);
        require_match(operation, part, like);
        return broadcast(part, like, pool_);
      }
      case Operation::Kind::kElementwise:
        return elementwise(operation);
      case Operation::Kind::kReduction:
        return reduction(operation);
      case Operation::Kind::kItem:
        return items_at(value(operation.inputs[0]), operand(operation.inputs[1]),
                        operand(operation.inputs[2]), pool_);
    }
    return {};
  }

  const Value& value(const Input& input) const { return values_[input.index]; }

  Operand operand(const Input& input) const {
    if (input.is_constant) return {program_.constants[input.index].data(), true};
    return {values_[input.index].elements.data(), false};
  }

  Value convert(const Operation& operation) const {
    const Value& from = value(operation.inputs[0]);
    Value result = make_value(operation.element, from.count, from.levels, pool_);
    convert_elements(from.element, from.elements.data(), operation.element, result.elements.data(),
                     static_cast<size_t>(from.count));
    return result;
  }

  Value elementwise(const Operation& operation) const {
    std::vector<Operand> operands;
    const Value* first = nullptr;
    for (const Input& input : operation.inputs) {
      operands.push_back(operand(input));
      if (input.is_constant) continue;
      if (first == nullptr) {
        first = &value(input);
      } else {
        require_match(operation, *first, value(input));
      }
    }
    Value result = make_value(operation.result, first->count, result_levels(operation), pool_);
    std::get<Elementwise>(functions()[operation.detail].body)
        .overloads[place_of(operation.element)]
        .kernel(operands, result.elements.data(), static_cast<size_t>(result.count));
    return result;
  }

  // Lists of fixed size are taken for jagged ones when they are combined with such.
  std::vector<Level> result_levels(const Operation& operation) const {
    std::vector<Level> levels;
    for (size_t i = 0; i < operation.dimensions.size(); ++i) {
      const auto chosen =
          std::find_if(operation.inputs.begin(), operation.inputs.end(), [&](const Input& input) {
            return !input.is_constant && (operation.dimensions[i] != kJagged ||
                                          program_.operations[input.index].dimensions[i] == kJagged);
          });
      levels.push_back(value(*chosen).levels[i]);
    }
    return levels;
  }

  Value reduction(const Operation& operation) const {
    const Value& from = value(operation.inputs[0]);
    const Level& lists = from.levels.back();
    Value result =
        make_value(operation.result, lists.count, {from.levels.begin(), from.levels.end() - 1}, pool_);
    std::get<Reduction>(functions()[operation.detail].body)
        .overloads[place_of(operation.element)]
        .kernel(from.elements.data(), lists.lists(), result.elements.data());
    return result;
  }

  void require_match(const Operation& operation, const Value& a, const Value& b) const {
    const auto mismatch = find_mismatch(a, b, std::min(a.levels.size(), b.levels.size()));
    if (!mismatch) return;
    throw SchemaError(
        point_at(program_.text, operation.place,
                 concat("in entry ", mismatch->entry, " of the range, lists of ", mismatch->sizes[0],
                        " and of ", mismatch->sizes[1], " items don't go together")));
  }

  const Program& program_;
  std::span<const Column> columns_;
  const std::shared_ptr<MemoryPool>& pool_;
  std::vector<Value> values_;
};

template <class T>
void fill(Column& column, const Constant& value) {
  const auto elements = column.values.as<T>();
  std::fill(elements.begin(), elements.end(), value.as<T>());
}

Column constant_column(const Constant& value, int64_t num_entries, const std::shared_ptr<MemoryPool>& pool) {
  Column column = make_fixed_width_column(value.kind, num_entries, pool);
  switch (value.kind) {
    case TypeKind::kInt64:
      fill<int64_t>(column, value);
      break;
    case TypeKind::kFloat64:
      fill<double>(column, value);
      break;
    default:
      fill<uint8_t>(column, value);
  }
  return column;
}

}  // namespace

Column evaluate(const Program& program, std::span<const Column> columns, int64_t num_entries,
                const std::shared_ptr<MemoryPool>& pool) {
  if (columns.size() != program.columns.size()) {
    throw SchemaError(
        concat("the formula reads ", program.columns.size(), " columns and was given ", columns.size()));
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].type == program.column_types[i] && columns[i].length == num_entries) continue;
    throw SchemaError(
        concat("the formula reads ", num_entries, " entries of ", program.column_types[i].to_string(),
               " and was given ", columns[i].length, " of ", columns[i].type.to_string()),
        {.column = program.columns[i]});
  }
  if (program.result.is_constant) {
    return constant_column(program.constants[program.result.index], num_entries, pool);
  }
  const Operation& last = program.operations[program.result.index];
  if (last.kind == Operation::Kind::kLoad) return columns[last.detail];
  return column_of(Evaluation(program, columns, pool).run());
}

}  // namespace sapwood::expr
