#pragma once

#include <cstdint>
#include <optional>

#include "sapwood/column/type.h"
#include "sapwood/rntuple/descriptor.h"

namespace sapwood::rntuple {

/// How the elements of a column are stored, as the format numbers it.
enum class ColumnType : uint16_t {
  kBit = 0x00,
  kByte = 0x01,
  kChar = 0x02,
  kInt8 = 0x03,
  kUInt8 = 0x04,
  kInt16 = 0x05,
  kUInt16 = 0x06,
  kInt32 = 0x07,
  kUInt32 = 0x08,
  kInt64 = 0x09,
  kUInt64 = 0x0A,
  kReal16 = 0x0B,
  kReal32 = 0x0C,
  kReal64 = 0x0D,
  kIndex32 = 0x0E,
  kIndex64 = 0x0F,
  kSwitch = 0x10,
  kSplitInt16 = 0x11,
  kSplitUInt16 = 0x12,
  kSplitInt32 = 0x13,
  kSplitUInt32 = 0x14,
  kSplitInt64 = 0x15,
  kSplitUInt64 = 0x16,
  kSplitReal16 = 0x17,
  kSplitReal32 = 0x18,
  kSplitReal64 = 0x19,
  kSplitIndex32 = 0x1A,
  kSplitIndex64 = 0x1B,
  kReal32Trunc = 0x1C,
  kReal32Quant = 0x1D,
};

/// What a page has to go through after decompression.
enum class Packing : uint8_t {
  kPlain,      ///< elements as they are
  kBits,       ///< one bit each
  kTruncated,  ///< the upper `bits` bits of a float each
  kQuantized,  ///< integers of `bits` bits that divide the column's range
};
enum class Transform : uint8_t { kNone, kZigzag, kDelta };

struct Encoding {
  TypeKind kind = TypeKind::kInt8;  ///< of decoded elements; for indices kUInt32 and kUInt64
  uint8_t element_size = 0;         ///< bytes of an element that is stored plain
  bool split = false;
  Transform transform = Transform::kNone;
  Packing packing = Packing::kPlain;
  bool is_half = false;    ///< half-precision floats, decoded to kFloat32
  bool is_index = false;   ///< ends of collections
  bool is_switch = false;  ///< which alternative of a variant, and where its value is
};

/// The encoding of a column; nothing when its type, or the type with this number of bits, is unknown to us.
std::optional<Encoding> encoding_of(const ColumnDescription& column);

/// Whether elements of the encoding can be decoded to values of `kind`: the same kind, or floats to doubles.
bool decodes_to(const Encoding& encoding, TypeKind kind);

}  // namespace sapwood::rntuple
