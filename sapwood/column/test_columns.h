#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "sapwood/column/column.h"

// Small columns for tests.
namespace sapwood {

template <class T>
Buffer buffer_of(const std::vector<T>& values) {
  Buffer buffer(values.size() * sizeof(T), heap_pool());
  std::copy(values.begin(), values.end(), buffer.as<T>().begin());
  return buffer;
}

inline Column numbers(const std::vector<int32_t>& values) {
  return {{TypeKind::kInt32}, static_cast<int64_t>(values.size()), buffer_of(values)};
}

inline Column bools(const std::vector<uint8_t>& values) {
  return {{TypeKind::kBool}, static_cast<int64_t>(values.size()), buffer_of(values)};
}

inline Column strings(const std::vector<std::string>& values) {
  std::vector<int64_t> offsets{0};
  std::vector<char> characters;
  for (const std::string& value : values) {
    characters.insert(characters.end(), value.begin(), value.end());
    offsets.push_back(static_cast<int64_t>(characters.size()));
  }
  return {
      {TypeKind::kString}, static_cast<int64_t>(values.size()), buffer_of(characters), buffer_of(offsets)};
}

/// Lists of the given sizes over the items.
inline Column lists(const std::vector<int64_t>& sizes, Column items) {
  std::vector<int64_t> offsets{0};
  for (const int64_t size : sizes) offsets.push_back(offsets.back() + size);
  return {
      Type::list(items.type), static_cast<int64_t>(sizes.size()), {}, buffer_of(offsets), {std::move(items)}};
}

inline Column numbers_in_lists(const std::vector<std::vector<int32_t>>& values) {
  std::vector<int64_t> sizes;
  std::vector<int32_t> items;
  for (const auto& list : values) {
    sizes.push_back(static_cast<int64_t>(list.size()));
    items.insert(items.end(), list.begin(), list.end());
  }
  return lists(sizes, numbers(items));
}

inline Column fixed_lists(int64_t size, Column items) {
  return {
      Type::fixed_list(items.type, size), size == 0 ? 0 : items.length / size, {}, {}, {std::move(items)}};
}

inline Column records(std::vector<std::string> names, std::vector<Column> members) {
  std::vector<Field> fields;
  for (size_t i = 0; i < names.size(); ++i) fields.push_back({names[i], members[i].type});
  const int64_t length = members.empty() ? 0 : members.front().length;
  return {Type::structure(fields), length, {}, {}, std::move(members)};
}

/// With a name for messages.
inline std::vector<std::pair<std::string, Column>> one_column_of_each_kind() {
  std::vector<std::pair<std::string, Column>> columns;
  for (int kind = 0; kind <= static_cast<int>(TypeKind::kFloat64); ++kind) {
    Column column = make_fixed_width_column({static_cast<TypeKind>(kind)}, 11, heap_pool());
    for (size_t i = 0; i < column.values.size(); ++i) {
      column.values.data()[i] = static_cast<std::byte>(kind == 0 ? i % 3 == 0 : i * 37);
    }
    columns.emplace_back(column.type.to_string(), column);
  }
  columns.emplace_back("strings", strings({"a", "", "bcd", "ef"}));
  columns.emplace_back("lists", numbers_in_lists({{1, 2}, {}, {}, {3, 4, 5}, {6}}));
  columns.emplace_back("lists of lists", lists({2, 0, 1}, numbers_in_lists({{1}, {2, 3}, {4}})));
  columns.emplace_back("lists of strings", lists({1, 2, 0}, strings({"x", "yy", ""})));
  columns.emplace_back("fixed lists",
                       fixed_lists(2, fixed_lists(3, numbers({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}))));
  columns.emplace_back("fixed lists of bools", fixed_lists(3, bools({1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1, 0})));
  columns.emplace_back(
      "records", records({"n", "list", "text"},
                         {numbers({1, 2, 3}), numbers_in_lists({{1}, {}, {2, 3}}), strings({"a", "", "b"})}));
  columns.emplace_back("lists of records",
                       lists({2, 1}, records({"flag", "n"}, {bools({1, 0, 1}), numbers({4, 5, 6})})));
  columns.emplace_back("no entries", numbers_in_lists({}));
  columns.emplace_back("no strings", strings({}));
  return columns;
}

}  // namespace sapwood
