#include "sapwood/expr/evaluate.h"

#include <algorithm>
#include <new>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/expr/convert_elements.h"
#include "sapwood/expr/formula_compiler.h"
#include "sapwood/expr/point_at.h"
#include "sapwood/expr/promotion.h"
#include "sapwood/expr/value.h"

namespace sapwood::expr {
namespace {

// Whether a column is of numbers or strings, or lists of such.
bool computes_with(const Type& type) {
  const Type* inner = &type;
  while (inner->kind == TypeKind::kList || inner->kind == TypeKind::kFixedList) inner = &inner->item();
  return inner->kind != TypeKind::kStruct;
}

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

class Evaluation {
 public:
  Evaluation(const Program& program, std::span<const Column> columns, const std::shared_ptr<MemoryPool>& pool,
             std::span<const uint8_t> kept)
      : program_(program), columns_(columns), pool_(pool), kept_(kept), values_(program.operations.size()) {}

  void run() {
    const std::vector<size_t> last_uses = program_.last_uses();
    for (size_t i = 0; i < values_.size(); ++i) {
      const Operation& operation = program_.operations[i];
      values_[i] = step(operation);
      for (const Input& input : operation.inputs) {
        if (!input.is_constant && last_uses[input.index] == i) values_[input.index] = {};
      }
    }
  }
  Column result(size_t step) const { return column_of(values_[step]); }

 private:
  Value step(const Operation& operation) {
    switch (operation.kind) {
      case Operation::Kind::kLoad:
        // Others are only ever results.
        return computes_with(columns_[operation.detail].type) ? value_of(columns_[operation.detail])
                                                              : Value{};
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
      case Operation::Kind::kLists:
        return list_function(operation);
      case Operation::Kind::kIndices:
        return indices(operation);
      case Operation::Kind::kItem:
        return items(operation);
      case Operation::Kind::kSelect: {
        const Value& lists = value(operation.inputs[0]);
        const Value& conditions = value(operation.inputs[1]);
        require_match(operation, lists, conditions);
        return selected(lists, conditions, pool_);
      }
      case Operation::Kind::kConcatenation:
        return concatenation(operation);
      case Operation::Kind::kUserFunction:
        return user_function(operation);
      case Operation::Kind::kFlatten:
        return flattened(value(operation.inputs[0]), pool_);
      case Operation::Kind::kSameStrings:
        return same_strings(operation);
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

  Value list_function(const Operation& operation) const {
    const auto& function = std::get<ListFunction>(functions()[operation.detail].body);
    const Value& from = value(operation.inputs[0]);
    const Level& lists = from.levels.back();
    Value result = function.keeps_lists ? make_value(operation.result, from.count, from.levels, pool_)
                                        : make_value(operation.result, lists.count,
                                                     {from.levels.begin(), from.levels.end() - 1}, pool_);
    function.overloads[place_of(operation.element)].kernel(from.elements.data(), lists.lists(),
                                                           result.elements.data());
    return result;
  }

  Value indices(const Operation& operation) const {
    const size_t level = operation.dimensions.size() - 1;
    const Value& first = value(operation.inputs[0]);
    std::vector<ListOperand> arguments;
    for (const Input& input : operation.inputs) {
      arguments.push_back({.items = operand(input)});
      if (input.is_constant) continue;
      arguments.back().element = operation.element;
      if (value(input).levels.empty()) arguments.back().lists.count = value(input).count;
      if (value(input).levels.size() <= level) continue;
      require_match(operation, first, value(input), level);
      arguments.back().lists = value(input).levels[level].lists();
    }
    return counted(operation,
                   make_indices(std::get<IndexFunction>(functions()[operation.detail].body), arguments,
                                {first.levels.begin(), first.levels.begin() + static_cast<ptrdiff_t>(level)},
                                operation.dimensions.back(), pool_));
  }

  Value items(const Operation& operation) const {
    const Value& lists = value(operation.inputs[0]);
    const Input& index = operation.inputs[1];
    const Input& otherwise = operation.inputs[2];
    std::span<const Level> index_levels;
    if (!index.is_constant) {
      index_levels = value(index).levels;
      if (!index_levels.empty()) require_match(operation, lists, value(index), index_levels.size() - 1);
      if (!otherwise.is_constant) require_match(operation, value(index), value(otherwise));
    }
    if (operation.inputs.size() > 3) require_match(operation, lists, value(operation.inputs[3]));
    return counted(operation, items_at(lists, operand(index), index_levels, operand(otherwise), pool_));
  }

  Value concatenation(const Operation& operation) const {
    std::vector<const Value*> parts;
    for (const Input& input : operation.inputs) parts.push_back(&value(input));
    return counted(operation, concatenated(parts, pool_));
  }

  Value user_function(const Operation& operation) const {
    const UserFunction& function = *program_.functions[operation.detail];
    std::vector<const Value*> arguments;
    const Value* first = nullptr;
    for (const Input& input : operation.inputs) {
      arguments.push_back(input.is_constant ? nullptr : &value(input));
      if (input.is_constant) continue;
      if (first == nullptr) first = &value(input);
      if (function.is_elementwise()) require_match(operation, *first, value(input));
    }
    const bool has_lists = !function.is_elementwise() && !first->levels.empty();
    const int64_t length = has_lists ? first->levels.front().count : first->count;
    std::vector<Column> columns;
    for (size_t i = 0; i < arguments.size(); ++i) {
      if (arguments[i] == nullptr) {
        columns.push_back(constant_column(program_.constants[operation.inputs[i].index], length, pool_));
      } else if (function.is_elementwise()) {
        columns.push_back(
            {.type = arguments[i]->element, .length = length, .values = arguments[i]->elements});
      } else {
        columns.push_back(column_of(*arguments[i]));
      }
    }
    const Type type = Typed{.element = operation.result,
                            .dimensions = function.is_elementwise() ? Dimensions{} : operation.dimensions}
                          .type();
    Column result = called(operation, function, columns, length);
    if (result.type != type || result.length != length) {
      fail(operation, concat("'", function.name(), "' gave ", result.length, " of ", result.type.to_string(),
                             " instead of ", length, " of ", type.to_string()));
    }
    Value given = value_of(result);
    if (function.is_elementwise()) given.levels = result_levels(operation);
    return given;
  }

  Column called(const Operation& operation, const UserFunction& function, std::span<const Column> arguments,
                int64_t length) const {
    try {
      return function.call(arguments, length, pool_);
    } catch (const Error&) {
      throw;
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& failure) {
      throw ConfigError(point_at(program_.texts[operation.text], operation.place,
                                 concat("'", function.name(), "' failed: ", failure.what())));
    }
  }

  Value same_strings(const Operation& operation) const {
    const Value& first = value(operation.inputs[0]);
    const Value* second = operation.inputs.size() > 1 ? &value(operation.inputs[1]) : nullptr;
    if (second != nullptr) require_match(operation, first, *second);
    Value result = make_value(TypeKind::kBool, first.count, result_levels(operation), pool_);
    const auto is_same = result.elements.as<uint8_t>();
    for (int64_t i = 0; i < first.count; ++i) {
      const std::string_view other =
          second != nullptr ? second->string(i) : program_.strings[operation.detail];
      is_same[static_cast<size_t>(i)] = first.string(i) == other ? 1 : 0;
    }
    return result;
  }

  Value counted(const Operation& operation, std::optional<Value> result) const {
    if (result) return std::move(*result);
    fail(operation, concat("lists of more than ", kMaxItems, " items in all entries of the range"));
  }

  [[noreturn]] void fail(const Operation& operation, std::string_view message) const {
    throw SchemaError(point_at(program_.texts[operation.text], operation.place, message));
  }

  void require_match(const Operation& operation, const Value& a, const Value& b) const {
    require_match(operation, a, b, std::min(a.levels.size(), b.levels.size()));
  }

  // Of the outermost `depth` levels.
  void require_match(const Operation& operation, const Value& a, const Value& b, size_t depth) const {
    const auto mismatch = find_mismatch(a, b, depth);
    if (!mismatch) return;
    fail(operation, concat("in entry ", place_in_range(mismatch->entry), " of the range, lists of ",
                           mismatch->sizes[0], " and of ", mismatch->sizes[1], " items don't go together"));
  }

  int64_t place_in_range(int64_t entry) const {
    if (kept_.empty()) return entry;
    int64_t place = -1;
    for (int64_t left = entry + 1; left > 0;) left -= kept_[static_cast<size_t>(++place)] != 0 ? 1 : 0;
    return place;
  }

  const Program& program_;
  std::span<const Column> columns_;
  const std::shared_ptr<MemoryPool>& pool_;
  std::span<const uint8_t> kept_;
  std::vector<Value> values_;
};

}  // namespace

std::vector<Column> evaluate(const Program& program, std::span<const Column> columns, int64_t num_entries,
                             const std::shared_ptr<MemoryPool>& pool, std::span<const uint8_t> kept) {
  if (columns.size() != program.columns.size()) {
    throw SchemaError(
        concat("the formulas read ", program.columns.size(), " columns and were given ", columns.size()));
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].type == program.column_types[i] && columns[i].length == num_entries) continue;
    throw SchemaError(
        concat("the formulas read ", num_entries, " entries of ", program.column_types[i].to_string(),
               " and were given ", columns[i].length, " of ", columns[i].type.to_string()),
        {.column = program.columns[i]});
  }
  Evaluation evaluation(program, columns, pool, kept);
  evaluation.run();
  std::vector<Column> results;
  for (const auto& [input, type] : program.results) {
    if (input.is_constant) {
      results.push_back(constant_column(program.constants[input.index], num_entries, pool));
    } else if (const Operation& last = program.operations[input.index]; last.kind == Operation::Kind::kLoad) {
      results.push_back(columns[last.detail]);
    } else {
      results.push_back(evaluation.result(input.index));
    }
  }
  return results;
}

}  // namespace sapwood::expr
