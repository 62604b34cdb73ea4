#include "sapwood/features/convert.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

#include "sapwood/base/error.h"

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

template <class From>
void convert_to(const std::byte* in, size_t stride, std::byte* out, DType dtype, size_t count) {
  switch (dtype) {
    case DType::kBool:
      return convert_run<From, Boolean>(in, stride, out, count);
    case DType::kInt32:
      return convert_run<From, int32_t>(in, stride, out, count);
    case DType::kInt64:
      return convert_run<From, int64_t>(in, stride, out, count);
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
