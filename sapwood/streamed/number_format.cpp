#include "sapwood/streamed/number_format.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numbers>
#include <string>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/kernels/decode.h"
#include "sapwood/root/streamer_info.h"

namespace sapwood::streamed {
namespace {

using Packing = NumberFormat::Packing;

NumberFormat plain(TypeKind type) {
  return {.type = type, .stored_size = static_cast<uint8_t>(primitive_size(type))};
}

/// A limit of a range as ROOT reads it (TStreamerElement's GetRange): where it holds "pi", one of five
/// multiples of that; else the number it begins with, or 0.
double parse_limit(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 6> kMultiples{
      {{"2pi", 2}, {"2*pi", 2}, {"twopi", 2}, {"pi/2", 0.5}, {"pi/4", 0.25}, {"pi", 1}}};
  std::string plain;
  for (const char c : text) {
    if (c != ' ') plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  for (const auto& [name, multiple] : kMultiples) {
    if (plain.find(name) == std::string::npos) continue;
    return (plain.find('-') == std::string::npos ? 1 : -1) * multiple * std::numbers::pi;
  }
  double number = 0;
  const char* const end = plain.data() + plain.size();
  std::from_chars(plain.starts_with('+') ? plain.data() + 1 : plain.data(), end, number);
  return number;
}

struct Range {
  double minimum = 0;
  double maximum = 0;
  int bits = 32;
};

/// The range in a comment, "[minimum, maximum]" or "[minimum, maximum, bits]", in the first brackets or,
/// where those hold the size of an array, in the second.
std::optional<Range> parse_range(std::string_view comment) {
  for (int brackets = 0; brackets < 2; ++brackets) {
    const size_t open = comment.find('[');
    const size_t close = comment.find(']', std::min(open, comment.size()));
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view inside = comment.substr(open + 1, close - open - 1);
    comment.remove_prefix(close + 1);
    const size_t comma = inside.find(',');
    if (comma == std::string_view::npos) continue;
    const std::string_view behind = inside.substr(comma + 1);
    const size_t second = behind.find(',');
    Range range{parse_limit(inside.substr(0, comma)), parse_limit(behind.substr(0, second))};
    if (second != std::string_view::npos) {
      const size_t number = std::min(behind.find_first_not_of(" \t", second + 1), behind.size());
      std::from_chars(behind.data() + number, behind.data() + behind.size(), range.bits);
      if (range.bits < 2 || range.bits > 32) range.bits = 32;
    }
    return range;
  }
  return std::nullopt;
}

/// Double32_t (float64 in memory) and Float16_t (float32): scaled when they have a range; else truncated to
/// the bits that are given, where those are fewer than 15, or that the minimum tells, or to 12 of a
/// Float16_t; else a float32.
NumberFormat short_real(TypeKind type, std::string_view comment) {
  constexpr int kMostBits = 22;
  const auto range = parse_range(comment);
  if (range && range->minimum < range->maximum) {
    const double steps = range->bits < 32 ? static_cast<double>(1u << range->bits) : double{0xFFFFFFFFu};
    return {.type = type,
            .packing = Packing::kScaled,
            .stored_size = 4,
            .minimum = range->minimum,
            .factor = steps / (range->maximum - range->minimum)};
  }
  double told = 0;
  if (range) told = range->bits < 15 ? range->bits : std::trunc(range->minimum);
  if (told == 0 && type == TypeKind::kFloat32) told = 12;
  if (told == 0) return {.type = type, .packing = Packing::kWidened, .stored_size = 4};
  if (!(told > 0 && told <= kMostBits)) throw UnsupportedError(concat("real numbers of ", told, " bits"));
  return {.type = type, .packing = Packing::kTruncated, .stored_size = 3, .bits = static_cast<uint8_t>(told)};
}

/// Of a leaf's title, "name[2][3]/d[0,10,20]" or "d[0,10,20]", what stands behind the type.
std::string_view range_in_title(std::string_view title, char type) {
  const std::string begin = concat('/', type, '[');
  if (title.starts_with(begin.substr(1))) return title.substr(1);
  const size_t at = title.find(begin);
  return at == std::string_view::npos ? std::string_view() : title.substr(at + 2);
}

template <class T>
T load(const std::byte* in) {
  T raw;
  std::memcpy(&raw, in, sizeof raw);
  return raw;
}

template <class Out>
void store(std::byte* out, size_t index, Out value) {
  std::memcpy(out + index * sizeof(Out), &value, sizeof value);
}

template <class Out>
void decode_scaled(const NumberFormat& format, const std::byte* in, std::byte* out, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const uint32_t steps = __builtin_bswap32(load<uint32_t>(in + i * 4));
    store(out, i, static_cast<Out>(steps / format.factor + format.minimum));
  }
}

// uint8 exponent and uint16 mantissa, whose bit `bits + 1` is the sign, make up a float32.
template <class Out>
void decode_truncated(const NumberFormat& format, const std::byte* in, std::byte* out, size_t count) {
  const uint32_t sign_bit = 1u << (format.bits + 1);
  for (size_t i = 0; i < count; ++i) {
    const auto exponent = static_cast<uint32_t>(in[i * 3]);
    const uint32_t mantissa = __builtin_bswap16(load<uint16_t>(in + i * 3 + 1));
    uint32_t bits = exponent << 23;
    bits |= (mantissa & (sign_bit - 1)) << (23 - format.bits);
    const auto magnitude = std::bit_cast<float>(bits);
    store(out, i, static_cast<Out>((mantissa & sign_bit) != 0 ? -magnitude : magnitude));
  }
}

}  // namespace

std::optional<NumberFormat> number_format(int64_t element_type, std::string_view comment) {
  if (element_type > root::kOffsetL && element_type < root::kOffsetP) {
    element_type -= root::kOffsetL;
  } else if (element_type > root::kOffsetP && element_type < root::kOffsetP + root::kOffsetL) {
    element_type -= root::kOffsetP;
  }
  switch (element_type) {
    case root::kChar:
    case root::kLegacyChar:
      return plain(TypeKind::kInt8);
    case root::kUChar:
      return plain(TypeKind::kUInt8);
    case root::kShort:
      return plain(TypeKind::kInt16);
    case root::kUShort:
      return plain(TypeKind::kUInt16);
    case root::kInt:
    case root::kCounter:
      return plain(TypeKind::kInt32);
    case root::kUInt:
    case root::kBits:
      return plain(TypeKind::kUInt32);
    case root::kLong:
    case root::kLong64:
      return plain(TypeKind::kInt64);
    case root::kULong:
    case root::kULong64:
      return plain(TypeKind::kUInt64);
    case root::kFloat:
      return plain(TypeKind::kFloat32);
    case root::kDouble:
      return plain(TypeKind::kFloat64);
    case root::kBool:
      return NumberFormat{.type = TypeKind::kBool, .packing = Packing::kBool};
    case root::kDouble32:
      return short_real(TypeKind::kFloat64, comment);
    case root::kFloat16:
      return short_real(TypeKind::kFloat32, comment);
    default:
      return std::nullopt;
  }
}

std::optional<NumberFormat> leaf_number_format(std::string_view leaf_class, bool is_unsigned,
                                               std::string_view title) {
  if (leaf_class == "TLeafO") return number_format(root::kBool, {});
  if (leaf_class == "TLeafB") return plain(is_unsigned ? TypeKind::kUInt8 : TypeKind::kInt8);
  if (leaf_class == "TLeafS") return plain(is_unsigned ? TypeKind::kUInt16 : TypeKind::kInt16);
  if (leaf_class == "TLeafI") return plain(is_unsigned ? TypeKind::kUInt32 : TypeKind::kInt32);
  if (leaf_class == "TLeafL" || leaf_class == "TLeafG") {
    return plain(is_unsigned ? TypeKind::kUInt64 : TypeKind::kInt64);
  }
  if (leaf_class == "TLeafF") return plain(TypeKind::kFloat32);
  if (leaf_class == "TLeafD") return plain(TypeKind::kFloat64);
  if (leaf_class == "TLeafD32") return number_format(root::kDouble32, range_in_title(title, 'd'));
  if (leaf_class == "TLeafF16") return number_format(root::kFloat16, range_in_title(title, 'f'));
  return std::nullopt;
}

void decode_numbers(const NumberFormat& format, const std::byte* in, std::byte* out, size_t count) {
  switch (format.packing) {
    case Packing::kPlain:
      kernels::byte_swap(in, out, count, format.stored_size);
      return;
    case Packing::kBool:
      for (size_t i = 0; i < count; ++i) out[i] = std::byte{in[i] != std::byte{0}};
      return;
    case Packing::kWidened:
      for (size_t i = 0; i < count; ++i) {
        const auto value = std::bit_cast<float>(__builtin_bswap32(load<uint32_t>(in + i * 4)));
        store(out, i, static_cast<double>(value));
      }
      return;
    case Packing::kScaled:
      if (format.type == TypeKind::kFloat64) return decode_scaled<double>(format, in, out, count);
      return decode_scaled<float>(format, in, out, count);
    case Packing::kTruncated:
      if (format.type == TypeKind::kFloat64) return decode_truncated<double>(format, in, out, count);
      return decode_truncated<float>(format, in, out, count);
  }
}

}  // namespace sapwood::streamed
