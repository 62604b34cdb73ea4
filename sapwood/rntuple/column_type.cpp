#include "sapwood/rntuple/column_type.h"

namespace sapwood::rntuple {
namespace {

Encoding plain(TypeKind kind) {
  return {.kind = kind, .element_size = static_cast<uint8_t>(primitive_size(kind))};
}

Encoding split(TypeKind kind, Transform transform = Transform::kNone) {
  Encoding encoding = plain(kind);
  encoding.split = true;
  encoding.transform = transform;
  return encoding;
}

Encoding half(bool split) {
  return {.kind = TypeKind::kFloat32, .element_size = 2, .split = split, .is_half = true};
}

Encoding index(TypeKind kind, bool split) {
  Encoding encoding = plain(kind);
  encoding.split = split;
  encoding.transform = split ? Transform::kDelta : Transform::kNone;
  encoding.is_index = true;
  return encoding;
}

std::optional<Encoding> encoding_of_type(ColumnType type) {
  switch (type) {
    case ColumnType::kBit:
      return Encoding{.kind = TypeKind::kBool, .packing = Packing::kBits};
    case ColumnType::kByte:
    case ColumnType::kUInt8:
      return plain(TypeKind::kUInt8);
    case ColumnType::kChar:
    case ColumnType::kInt8:
      return plain(TypeKind::kInt8);
    case ColumnType::kInt16:
      return plain(TypeKind::kInt16);
    case ColumnType::kUInt16:
      return plain(TypeKind::kUInt16);
    case ColumnType::kInt32:
      return plain(TypeKind::kInt32);
    case ColumnType::kUInt32:
      return plain(TypeKind::kUInt32);
    case ColumnType::kInt64:
      return plain(TypeKind::kInt64);
    case ColumnType::kUInt64:
      return plain(TypeKind::kUInt64);
    case ColumnType::kReal16:
      return half(false);
    case ColumnType::kReal32:
      return plain(TypeKind::kFloat32);
    case ColumnType::kReal64:
      return plain(TypeKind::kFloat64);
    case ColumnType::kIndex32:
      return index(TypeKind::kUInt32, false);
    case ColumnType::kIndex64:
      return index(TypeKind::kUInt64, false);
    case ColumnType::kSplitInt16:
      return split(TypeKind::kInt16, Transform::kZigzag);
    case ColumnType::kSplitUInt16:
      return split(TypeKind::kUInt16);
    case ColumnType::kSplitInt32:
      return split(TypeKind::kInt32, Transform::kZigzag);
    case ColumnType::kSplitUInt32:
      return split(TypeKind::kUInt32);
    case ColumnType::kSplitInt64:
      return split(TypeKind::kInt64, Transform::kZigzag);
    case ColumnType::kSplitUInt64:
      return split(TypeKind::kUInt64);
    case ColumnType::kSplitReal16:
      return half(true);
    case ColumnType::kSplitReal32:
      return split(TypeKind::kFloat32);
    case ColumnType::kSplitReal64:
      return split(TypeKind::kFloat64);
    case ColumnType::kSplitIndex32:
      return index(TypeKind::kUInt32, true);
    case ColumnType::kSplitIndex64:
      return index(TypeKind::kUInt64, true);
    case ColumnType::kReal32Trunc:
      return Encoding{.kind = TypeKind::kFloat32, .packing = Packing::kTruncated};
    case ColumnType::kReal32Quant:
      return Encoding{.kind = TypeKind::kFloat32, .packing = Packing::kQuantized};
    case ColumnType::kSwitch:
      return Encoding{.kind = TypeKind::kUInt8, .element_size = 12, .is_switch = true};
  }
  return std::nullopt;
}

bool bits_fit(const ColumnDescription& column, const Encoding& encoding) {
  switch (encoding.packing) {
    case Packing::kPlain:
      return column.bits == 8 * encoding.element_size;
    case Packing::kBits:
      return column.bits == 1;
    case Packing::kTruncated:
      return column.bits >= 10 && column.bits <= 31;
    case Packing::kQuantized:
      return column.bits >= 1 && column.bits <= 32 && (column.flags & ColumnDescription::kRange) != 0;
  }
  return false;
}

}  // namespace

std::optional<Encoding> encoding_of(const ColumnDescription& column) {
  const std::optional<Encoding> encoding = encoding_of_type(static_cast<ColumnType>(column.type));
  if (!encoding || !bits_fit(column, *encoding)) return std::nullopt;
  return encoding;
}

bool decodes_to(const Encoding& encoding, TypeKind kind) {
  if (encoding.is_index || encoding.is_switch) return false;
  return encoding.kind == kind || (encoding.kind == TypeKind::kFloat32 && kind == TypeKind::kFloat64);
}

}  // namespace sapwood::rntuple
