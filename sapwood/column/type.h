#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sapwood {

enum class TypeKind : uint8_t {
  kBool,  ///< one byte, 0 or 1 (packed into bits only in Arrow's interface)
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUInt8,
  kUInt16,
  kUInt32,
  kUInt64,
  kFloat32,
  kFloat64,
  kString,     ///< bytes, UTF-8 by convention, with int64 offsets
  kList,       ///< int64 offsets into one child
  kFixedList,  ///< `fixed_size` consecutive elements of one child
  kStruct,     ///< children of equal length
};

struct Field;

/// The logical type of a column. Lists have one child named "item"; structs one for each member.
struct Type {
  TypeKind kind = TypeKind::kInt8;
  int64_t fixed_size = 0;  ///< elements, for kFixedList
  std::vector<Field> children;

  Type();  // int8
  Type(TypeKind kind);
  Type(TypeKind kind, int64_t fixed_size, std::vector<Field> children);
  static Type list(Type item);
  static Type fixed_list(Type item, int64_t size);
  static Type structure(std::vector<Field> members);

  bool operator==(const Type&) const = default;
  /// Numbers and bool.
  bool is_primitive() const { return kind <= TypeKind::kFloat64; }
  bool is_floating() const { return kind == TypeKind::kFloat32 || kind == TypeKind::kFloat64; }
  const Type& item() const;
  /// Such as "float32", "list<float32>", "int32[3]", "struct<pt: float32, id: int64>".
  std::string to_string() const;
};

struct Field {
  std::string name;
  Type type;
  bool operator==(const Field&) const = default;
};

/// Bytes of one element of a primitive type; 0 for the others.
size_t primitive_size(TypeKind kind);

/// Bytes of one entry when every entry takes the same (primitives and fixed lists of them), else 0.
size_t fixed_entry_size(const Type& type);

}  // namespace sapwood
