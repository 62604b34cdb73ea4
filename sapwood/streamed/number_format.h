#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "sapwood/base/cursor.h"
#include "sapwood/column/type.h"

namespace sapwood::streamed {

/// How one number is stored, big-endian, and what it becomes.
struct NumberFormat {
  enum class Packing : uint8_t {
    kPlain,      ///< as it is
    kBool,       ///< a byte; not 0 means true
    kWidened,    ///< Double32_t: a float32 that becomes a float64
    kScaled,     ///< a uint32 that stands for `minimum + value / factor`
    kTruncated,  ///< uint8 exponent, uint16 sign and the mantissa's upper `bits`
  };
  TypeKind type = TypeKind::kInt8;
  Packing packing = Packing::kPlain;
  uint8_t stored_size = 1;
  uint8_t bits = 0;
  double minimum = 0;
  double factor = 1;
  bool operator==(const NumberFormat&) const = default;
};

/// The format of a basic type by its streamer type code (those of arrays stand for their items); none for
/// other types. `comment` may give the range of Double32_t and Float16_t, "[minimum, maximum, bits]".
std::optional<NumberFormat> number_format(int64_t element_type, std::string_view comment);
/// By the class of the leaf, TLeafI and its like.
std::optional<NumberFormat> leaf_number_format(std::string_view leaf_class, bool is_unsigned,
                                               std::string_view title);

/// Decodes `count` numbers from `in`, stored_size bytes each, to `out`.
void decode_numbers(const NumberFormat& format, const std::byte* in, std::byte* out, size_t count);

/// The same where numbers are stored as they are, for a few of them. False: they are not.
inline bool decode_few_numbers(const NumberFormat& format, const std::byte* in, std::byte* out,
                               size_t count) {
  if (format.packing != NumberFormat::Packing::kPlain) return false;
  const auto swap = [&]<class T>(T) {
    for (size_t i = 0; i < count; ++i) {
      T raw;
      std::memcpy(&raw, in + i * sizeof raw, sizeof raw);
      raw = detail::byte_swapped(raw);
      std::memcpy(out + i * sizeof raw, &raw, sizeof raw);
    }
  };
  switch (format.stored_size) {
    case 1:
      swap(uint8_t{});
      return true;
    case 2:
      swap(uint16_t{});
      return true;
    case 4:
      swap(uint32_t{});
      return true;
    case 8:
      swap(uint64_t{});
      return true;
    default:
      return false;
  }
}

}  // namespace sapwood::streamed
