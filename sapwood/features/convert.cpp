#include "sapwood/features/convert.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/kernels/half.h"

namespace sapwood {
namespace {

struct Boolean {
  uint8_t value;
};

template <class To, class From>
To converted(From value) {
  if constexpr (std::is_same_v<To, Boolean>) {
    return Boolean{static_cast<uint8_t>(value != From{})};
  } else if constexpr (std::is_integral_v<To>) {
    using Limits = std::numeric_limits<To>;
    if constexpr (std::is_floating_point_v<From>) {
      // 2^31 and 2^63 are exact in both floating types, the integer limits need not be.
      constexpr From kEnd = static_cast<From>(uint64_t{1} << Limits::digits);
      if (std::isnan(value)) return 0;
      if (value >= kEnd) return Limits::max();
      if (value < -kEnd) return Limits::min();
      return static_cast<To>(value);
    } else {
      if (std::cmp_greater(value, Limits::max())) return Limits::max();
      if (std::cmp_less(value, Limits::min())) return Limits::min();
      return static_cast<To>(value);
    }
  } else {
    return static_cast<To>(value);
  }
}

template <class From, class To>
void convert_run(const std::byte* in, size_t stride, std::byte* out, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    From value;
    std::memcpy(&value, in + i * stride * sizeof(From), sizeof(From));
    const To result = converted<To>(value);
    std::memcpy(out + i * sizeof(To), &result, sizeof(To));
  }
}

using Narrow = void (*)(const std::byte* in, std::byte* out, size_t count);

// A number as a float64 that rounds to fewer digits as the number itself does: where that has no room for all
// digits of an integer, its last one tells whether any was not 0.
template <class From>
double to_be_rounded(From value) {
  if constexpr (sizeof(From) < sizeof(double) || std::is_floating_point_v<From>) {
    return static_cast<double>(value);
  } else {
    constexpr uint64_t kDropped = (uint64_t{1} << 11) - 1;  // of 64 digits, 53 stay
    uint64_t magnitude = static_cast<uint64_t>(value);
    if (std::cmp_less(value, 0)) magnitude = uint64_t{0} - magnitude;
    if (magnitude >> 53 != 0 && (magnitude & kDropped) != 0)
      magnitude = (magnitude | (kDropped + 1)) & ~kDropped;
    const auto number = static_cast<double>(magnitude);
    return std::cmp_less(value, 0) ? -number : number;
  }
}

// To 16 bits, with a tile of float32 or float64 between, which the kernels take.
template <class From>
void narrow_run(const std::byte* in, size_t stride, std::byte* out, size_t count, Narrow from_float,
                Narrow from_double) {
  constexpr size_t kTile = 256;
  constexpr bool kFloat = std::is_same_v<From, float>;
  const Narrow narrow = kFloat ? from_float : from_double;
  if (std::is_floating_point_v<From> && stride == 1) return narrow(in, out, count);
  std::array<std::conditional_t<kFloat, float, double>, kTile> tile;
  for (size_t done = 0; done < count; done += kTile) {
    const size_t size = std::min(kTile, count - done);
    for (size_t i = 0; i < size; ++i) {
      From value;
      std::memcpy(&value, in + (done + i) * stride * sizeof(From), sizeof(From));
      if constexpr (kFloat) {
        tile[i] = value;
      } else {
        tile[i] = to_be_rounded(value);
      }
    }
    narrow(std::as_bytes(std::span(tile)).data(), out + done * sizeof(uint16_t), size);
  }
}

template <class From>
void convert_to(const std::byte* in, size_t stride, std::byte* out, DType dtype, size_t count) {
  switch (dtype) {
    case DType::kBool:
      return convert_run<From, Boolean>(in, stride, out, count);
    case DType::kInt32:
      return convert_run<From, int32_t>(in, stride, out, count);
    case DType::kInt64:
      return convert_run<From, int64_t>(in, stride, out, count);
    case DType::kFloat16:
      return narrow_run<From>(in, stride, out, count, kernels::float32_to_float16,
                              kernels::float64_to_float16);
    case DType::kBFloat16:
      return narrow_run<From>(in, stride, out, count, kernels::float32_to_bfloat16,
                              kernels::float64_to_bfloat16);
    case DType::kFloat32:
      return convert_run<From, float>(in, stride, out, count);
    case DType::kFloat64:
      return convert_run<From, double>(in, stride, out, count);
  }
}

}  // namespace

void convert_values(const std::byte* in, TypeKind kind, size_t stride, std::byte* out, DType dtype,
                    size_t count) {
  if (count == 0) return;
  if (stride == 1 && kind == type_kind(dtype)) {
    std::memcpy(out, in, count * dtype_size(dtype));
    return;
  }
  switch (kind) {
    case TypeKind::kBool:
    case TypeKind::kUInt8:
      return convert_to<uint8_t>(in, stride, out, dtype, count);
    case TypeKind::kInt8:
      return convert_to<int8_t>(in, stride, out, dtype, count);
    case TypeKind::kInt16:
      return convert_to<int16_t>(in, stride, out, dtype, count);
    case TypeKind::kUInt16:
      return convert_to<uint16_t>(in, stride, out, dtype, count);
    case TypeKind::kInt32:
      return convert_to<int32_t>(in, stride, out, dtype, count);
    case TypeKind::kUInt32:
      return convert_to<uint32_t>(in, stride, out, dtype, count);
    case TypeKind::kInt64:
      return convert_to<int64_t>(in, stride, out, dtype, count);
    case TypeKind::kUInt64:
      return convert_to<uint64_t>(in, stride, out, dtype, count);
    case TypeKind::kFloat32:
      return convert_to<float>(in, stride, out, dtype, count);
    case TypeKind::kFloat64:
      return convert_to<double>(in, stride, out, dtype, count);
    default:
      throw SchemaError("only numbers can become tensor elements");
  }
}

void fill_elements(std::byte* out, DType dtype, double value, size_t count) {
  if (value == 0 && !std::signbit(value)) {
    std::memset(out, 0, count * dtype_size(dtype));
  } else {
    const std::span<const double> one(&value, 1);
    convert_values(std::as_bytes(one).data(), TypeKind::kFloat64, 0, out, dtype, count);
  }
}

}  // namespace sapwood
