#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "sapwood/column/column.h"
#include "sapwood/column/schema.h"

namespace sapwood {

/// Columns for tests.
template <class T>
Column numbers(TypeKind kind, const std::vector<T>& values) {
  Column column = make_fixed_width_column({kind, 0, {}}, static_cast<int64_t>(values.size()), heap_pool());
  std::ranges::copy(values, column.values.as<T>().begin());
  return column;
}

inline Column jagged(const std::vector<std::vector<float>>& entries) {
  std::vector<float> values;
  std::vector<int64_t> offsets{0};
  for (const auto& entry : entries) {
    values.insert(values.end(), entry.begin(), entry.end());
    offsets.push_back(static_cast<int64_t>(values.size()));
  }
  Column column;
  column.type = Type::list({TypeKind::kFloat32, 0, {}});
  column.length = static_cast<int64_t>(entries.size());
  column.offsets = Buffer(offsets.size() * sizeof(int64_t), heap_pool());
  std::ranges::copy(offsets, column.offsets.as<int64_t>().begin());
  column.children.push_back(numbers(TypeKind::kFloat32, values));
  return column;
}

inline Schema schema_of(const std::vector<std::pair<std::string, Column>>& columns) {
  std::vector<ColumnInfo> infos;
  for (const auto& [name, column] : columns) {
    ColumnInfo info;
    info.name = name;
    info.type = column.type;
    infos.push_back(info);
  }
  return Schema(infos);
}

}  // namespace sapwood
