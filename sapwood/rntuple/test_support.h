#pragma once

#include <cstddef>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "sapwood/io/memory_file.h"
#include "sapwood/rntuple/ntuple.h"

namespace sapwood::rntuple {

inline std::string test_path(const std::string& name) { return std::string(SAPWOOD_TEST_DATA) + "/" + name; }

inline std::vector<std::byte> test_bytes(const std::string& name) {
  std::ifstream in(test_path(name), std::ios::binary);
  std::vector<std::byte> bytes;
  for (std::istreambuf_iterator<char> at(in), end; at != end; ++at) {
    bytes.push_back(static_cast<std::byte>(*at));
  }
  return bytes;
}

/// The first RNTuple of a file.
inline std::shared_ptr<const Ntuple> open_first(std::unique_ptr<io::RandomAccessFile> bytes) {
  const std::shared_ptr<const root::File> file = root::File::open(std::move(bytes));
  for (const root::Key& key : file->keys()) {
    if (key.class_name == "ROOT::RNTuple") return Ntuple::open(file, key);
  }
  throw FormatError("no RNTuple in the file");
}

inline std::shared_ptr<const Ntuple> open_test_file(const std::string& name) {
  return open_first(io::open_local_file(test_path(name)));
}

inline Column read_column(const Ntuple& ntuple, const std::string& name, EntryRange entries) {
  const size_t column = ntuple.schema().require(name);
  const std::unique_ptr<FetchedColumns> fetched = ntuple.fetch({&column, 1}, entries, heap_pool());
  return ntuple.decode(*fetched, 0, heap_pool());
}

inline Column read_column(const Ntuple& ntuple, const std::string& name) {
  return read_column(ntuple, name, {0, ntuple.num_entries()});
}

template <class T>
std::string number_text(const Column& column, int64_t index) {
  std::ostringstream out;
  out.precision(std::is_same_v<T, double> ? 17 : 9);
  out << +column.values.as<const T>()[static_cast<size_t>(index)];
  return out.str();
}

/// Entry `index` as text: numbers, "strings", [lists] and arrays, {member: value}.
inline std::string text(const Column& column, int64_t index) {
  const auto items = [&](int64_t first, int64_t last) {
    std::string result = "[";
    for (int64_t i = first; i < last; ++i) {
      result += concat(i > first ? ", " : "", text(column.item(), i));
    }
    return concat(result, ']');
  };
  const auto at = static_cast<size_t>(index);
  switch (column.type.kind) {
    case TypeKind::kBool:
    case TypeKind::kUInt8:
      return number_text<uint8_t>(column, index);
    case TypeKind::kInt8:
      return number_text<int8_t>(column, index);
    case TypeKind::kInt16:
      return number_text<int16_t>(column, index);
    case TypeKind::kUInt16:
      return number_text<uint16_t>(column, index);
    case TypeKind::kInt32:
      return number_text<int32_t>(column, index);
    case TypeKind::kUInt32:
      return number_text<uint32_t>(column, index);
    case TypeKind::kInt64:
      return number_text<int64_t>(column, index);
    case TypeKind::kUInt64:
      return number_text<uint64_t>(column, index);
    case TypeKind::kFloat32:
      return number_text<float>(column, index);
    case TypeKind::kFloat64:
      return number_text<double>(column, index);
    case TypeKind::kString: {
      const auto first = static_cast<size_t>(column.offset_span()[at]);
      const auto last = static_cast<size_t>(column.offset_span()[at + 1]);
      const std::span<const char> characters = column.values.as<const char>().subspan(first, last - first);
      return concat('"', std::string(characters.begin(), characters.end()), '"');
    }
    case TypeKind::kList:
      return items(column.offset_span()[at], column.offset_span()[at + 1]);
    case TypeKind::kFixedList:
      return items(index * column.type.fixed_size, (index + 1) * column.type.fixed_size);
    case TypeKind::kStruct: {
      std::string result = "{";
      for (size_t i = 0; i < column.children.size(); ++i) {
        result +=
            concat(i > 0 ? ", " : "", column.type.children[i].name, ": ", text(column.children[i], index));
      }
      return concat(result, '}');
    }
  }
  return "?";
}

/// All entries, separated by blanks.
inline std::string text(const Column& column) {
  std::string result;
  for (int64_t i = 0; i < column.length; ++i) result += concat(i > 0 ? " " : "", text(column, i));
  return result;
}

}  // namespace sapwood::rntuple
