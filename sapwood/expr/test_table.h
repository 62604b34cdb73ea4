#pragma once

#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sapwood/base/error.h"
#include "sapwood/column/test_columns.h"
#include "sapwood/expr/expression.h"

// Named columns, and the results of formulas over them as text.
namespace sapwood {

template <class T>
Column column_of_values(TypeKind kind, const std::vector<T>& values) {
  return {{kind}, static_cast<int64_t>(values.size()), buffer_of(values)};
}
inline Column floats(const std::vector<float>& values) {
  return column_of_values(TypeKind::kFloat32, values);
}
inline Column doubles(const std::vector<double>& values) {
  return column_of_values(TypeKind::kFloat64, values);
}

template <class T>
std::string shortest_text(T value) {
  if (std::isnan(value)) return "nan";
  char text[64];
  return {text, std::to_chars(text, text + sizeof(text), value).ptr};
}

inline std::string text_of_entry(const Column& column, int64_t entry) {
  const auto i = static_cast<size_t>(entry);
  switch (column.type.kind) {
    case TypeKind::kBool:
      return column.values.as<const uint8_t>()[i] == 1 ? "true" : "false";
    case TypeKind::kInt16:
      return std::to_string(column.values.as<const int16_t>()[i]);
    case TypeKind::kInt32:
      return std::to_string(column.values.as<const int32_t>()[i]);
    case TypeKind::kInt64:
      return std::to_string(column.values.as<const int64_t>()[i]);
    case TypeKind::kFloat32:
      return shortest_text(column.values.as<const float>()[i]);
    case TypeKind::kFloat64:
      return shortest_text(column.values.as<const double>()[i]);
    case TypeKind::kList:
    case TypeKind::kFixedList:
      break;
    default:
      return "?";
  }
  const int64_t size = column.type.fixed_size;
  const bool is_jagged = column.type.kind == TypeKind::kList;
  const int64_t start = is_jagged ? column.offset_span()[i] : entry * size;
  const int64_t stop = is_jagged ? column.offset_span()[i + 1] : start + size;
  std::string text = "[";
  for (int64_t item = start; item < stop; ++item) {
    if (item > start) text += ", ";
    text += text_of_entry(column.item(), item);
  }
  return text + "]";
}

/// Such as "int64: 1 2 3" or "list<float32>: [1, 2.5] [] [3]".
inline std::string text_of(const Column& column) {
  std::string text = column.type.to_string() + ":";
  for (int64_t entry = 0; entry < column.length; ++entry) {
    text += ' ';
    text += text_of_entry(column, entry);
  }
  return text;
}

class Table {
 public:
  explicit Table(std::vector<std::pair<std::string, Column>> columns) : columns_(std::move(columns)) {
    std::vector<ColumnInfo> infos;
    for (const auto& [name, column] : columns_) {
      ColumnInfo info;
      info.name = name;
      info.type = column.type;
      infos.push_back(std::move(info));
    }
    schema_ = Schema(std::move(infos));
  }

  /// With a column more, which a formula defines.
  Table define(const std::string& name, const std::string& formula) const {
    Table defined = *this;
    std::vector<ColumnInfo> infos = schema_.columns();
    ColumnInfo info;
    info.name = name;
    info.type = Expression(formula, schema_).type();
    info.definition = formula;
    infos.push_back(std::move(info));
    defined.schema_ = Schema(std::move(infos), schema_.functions());
    return defined;
  }

  /// With a function more, which formulas may call.
  Table with(std::shared_ptr<const UserFunction> function) const {
    Table extended = *this;
    extended.schema_ = with_function(schema_, std::move(function));
    return extended;
  }

  const Schema& schema() const { return schema_; }
  int64_t num_entries() const { return columns_.front().second.length; }

  Column evaluate(const std::string& formula, const std::shared_ptr<MemoryPool>& pool = heap_pool()) const {
    const Expression expression(formula, schema_);
    std::vector<Column> columns;
    for (const std::string& name : expression.columns()) {
      columns.push_back(columns_[*schema_.find(name)].second);
    }
    Column result = expression.evaluate(columns, num_entries(), pool);
    if (result.type != expression.type()) {
      // No error of the formula's: fuzz targets let it escape.
      throw std::logic_error(
          concat("a result of ", result.type.to_string(), " instead of ", expression.type().to_string()));
    }
    return result;
  }

  std::string text(const std::string& formula) const { return text_of(evaluate(formula)); }

 private:
  std::vector<std::pair<std::string, Column>> columns_;
  Schema schema_;
};

/// Three entries of each shape.
inline Table three_entries() {
  return Table({
      {"n", numbers({1, -2, 3})},
      {"m", numbers({2, 2, 0})},
      {"short", column_of_values<int16_t>(TypeKind::kInt16, {1, 2, 3})},
      {"big", column_of_values<uint64_t>(TypeKind::kUInt64, {1, UINT64_MAX, uint64_t{1} << 63})},
      {"x", floats({1.5F, -2.5F, 0})},
      {"y", doubles({0.1, 4, -1})},
      {"flag", bools({1, 0, 1})},
      {"jet.pt", floats({7, 8, 9})},
      {"odd name!", numbers({4, 5, 6})},
      {"label", strings({"a", "b", "c"})},
      {"pt", lists({2, 0, 1}, floats({10, 20, 30}))},
      {"eta", lists({2, 0, 1}, floats({1, -2, 0.5F}))},
      {"id", lists({2, 0, 1}, numbers({11, -13, 11}))},
      {"good", lists({2, 0, 1}, bools({1, 0, 1}))},
      {"other", lists({2, 1, 1}, floats({1, 2, 3, 4}))},
      {"pairs", lists({2, 2, 2}, floats({1, 2, 3, 4, 5, 6}))},
      {"hits", lists({2, 0, 1}, lists({1, 2, 0}, doubles({1, 2, 3})))},
      {"times", lists({2, 0, 1}, lists({1, 2, 0}, numbers({5, 6, 7})))},
      {"late", lists({2, 0, 1}, lists({1, 1, 1}, numbers({5, 6, 7})))},
      {"vector", fixed_lists(2, floats({1, 2, 3, 4, 5, 6}))},
      {"triple", fixed_lists(3, numbers({1, 2, 3, 4, 5, 6, 7, 8, 9}))},
      {"matrix", fixed_lists(2, fixed_lists(2, numbers({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})))},
      {"tracks", lists({2, 0, 1}, fixed_lists(2, numbers({1, 2, 3, 4, 5, 6})))},
  });
}

}  // namespace sapwood
