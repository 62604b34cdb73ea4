#pragma once

#include <cstdio>
#include <string>

#include "sapwood/column/column.h"

namespace sapwood::ttree {

/// For tests: one entry of a column as text, as tests/data/write_expected_trees.py prints it.
inline std::string print_entry(const Column& column, int64_t entry) {
  const auto at = static_cast<size_t>(entry);
  const auto items = [&](int64_t start, int64_t stop) {
    std::string text = "[";
    for (int64_t i = start; i < stop; ++i) {
      if (i != start) text += ',';
      text += print_entry(column.item(), i);
    }
    return text + ']';
  };
  const auto real = [](double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.9g", value);
    return std::string(text);
  };
  switch (column.type.kind) {
    case TypeKind::kBool:
      return column.values.as<uint8_t>()[at] != 0 ? "true" : "false";
    case TypeKind::kInt8:
      return std::to_string(column.values.as<int8_t>()[at]);
    case TypeKind::kUInt8:
      return std::to_string(column.values.as<uint8_t>()[at]);
    case TypeKind::kInt16:
      return std::to_string(column.values.as<int16_t>()[at]);
    case TypeKind::kUInt16:
      return std::to_string(column.values.as<uint16_t>()[at]);
    case TypeKind::kInt32:
      return std::to_string(column.values.as<int32_t>()[at]);
    case TypeKind::kUInt32:
      return std::to_string(column.values.as<uint32_t>()[at]);
    case TypeKind::kInt64:
      return std::to_string(column.values.as<int64_t>()[at]);
    case TypeKind::kUInt64:
      return std::to_string(column.values.as<uint64_t>()[at]);
    case TypeKind::kFloat32:
      return real(double{column.values.as<float>()[at]});
    case TypeKind::kFloat64:
      return real(column.values.as<double>()[at]);
    case TypeKind::kString: {
      std::string text = "\"";
      for (int64_t i = column.offset_span()[at]; i < column.offset_span()[at + 1]; ++i) {
        const auto c = column.values.as<unsigned char>()[static_cast<size_t>(i)];
        char escaped[8];
        std::snprintf(escaped, sizeof escaped, c >= 32 && c < 127 ? "%c" : "\\%03o", c);
        text += escaped;
      }
      return text + '"';
    }
    case TypeKind::kList:
      return items(column.offset_span()[at], column.offset_span()[at + 1]);
    case TypeKind::kFixedList:
      return items(entry * column.type.fixed_size, (entry + 1) * column.type.fixed_size);
    case TypeKind::kStruct: {
      std::string text = "{";
      for (const Column& member : column.children) {
        if (text.size() > 1) text += ',';
        text += print_entry(member, entry);
      }
      return text + '}';
    }
  }
  return "";
}

}  // namespace sapwood::ttree
