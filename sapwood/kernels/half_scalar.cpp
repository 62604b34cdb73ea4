#include "sapwood/kernels/half_scalar.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace sapwood::kernels::scalar {
namespace {

// A binary floating format: sign, `kExponent` bits of exponent, `kFraction` bits of fraction.
template <class BitsType, int kExponentBits, int kFractionBits>
struct Format {
  using Bits = BitsType;
  static constexpr int kFraction = kFractionBits;
  static constexpr int kBias = (1 << (kExponentBits - 1)) - 1;
  static constexpr int kLargestExponent = (1 << kExponentBits) - 1;  // of infinity and NaN
  static constexpr int kSignPlace = kExponentBits + kFractionBits;
};
using Float16 = Format<uint16_t, 5, 10>;
using BFloat16 = Format<uint16_t, 8, 7>;
using Float32 = Format<uint32_t, 8, 23>;
using Float64 = Format<uint64_t, 11, 52>;

template <class From, class To>
typename To::Bits rounded(typename From::Bits bits) {
  constexpr uint64_t kHidden = uint64_t{1} << From::kFraction;
  constexpr uint64_t kInfinity = uint64_t{To::kLargestExponent} << To::kFraction;
  const uint64_t sign = uint64_t{bits} >> From::kSignPlace << To::kSignPlace;
  const int exponent = static_cast<int>(bits >> From::kFraction) & From::kLargestExponent;
  uint64_t digits = bits & (kHidden - 1);
  if (exponent == From::kLargestExponent) {
    const uint64_t quiet = digits == 0 ? 0 : uint64_t{1} << (To::kFraction - 1);
    return static_cast<typename To::Bits>(sign | kInfinity | quiet);
  }
  if (exponent != 0) digits |= kHidden;
  // The result's exponent before rounding; below 1 it is subnormal and loses more digits.
  const int wanted = std::max(exponent, 1) - From::kBias + To::kBias;
  if (wanted >= To::kLargestExponent) return static_cast<typename To::Bits>(sign | kInfinity);
  const int dropped = From::kFraction - To::kFraction + std::max(1 - wanted, 0);
  if (dropped > From::kFraction + 1) return static_cast<typename To::Bits>(sign);  // less than half the least
  const uint64_t half = uint64_t{1} << (dropped - 1);
  const uint64_t rest = digits & (2 * half - 1);
  uint64_t kept = digits >> dropped;
  if (rest > half || (rest == half && (kept & 1) != 0)) ++kept;
  // The hidden digit adds one to the exponent, as does a carry out of the fraction, up to infinity.
  const auto below = static_cast<uint64_t>(std::max(wanted - 1, 0));
  return static_cast<typename To::Bits>(sign | ((below << To::kFraction) + kept));
}

template <class From, class To>
void round_all(const std::byte* in, std::byte* out, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    typename From::Bits bits;
    std::memcpy(&bits, in + i * sizeof(bits), sizeof(bits));
    const typename To::Bits result = rounded<From, To>(bits);
    std::memcpy(out + i * sizeof(result), &result, sizeof(result));
  }
}

}  // namespace

void float32_to_float16(const std::byte* in, std::byte* out, size_t count) {
  round_all<Float32, Float16>(in, out, count);
}
void float64_to_float16(const std::byte* in, std::byte* out, size_t count) {
  round_all<Float64, Float16>(in, out, count);
}
void float32_to_bfloat16(const std::byte* in, std::byte* out, size_t count) {
  round_all<Float32, BFloat16>(in, out, count);
}
void float64_to_bfloat16(const std::byte* in, std::byte* out, size_t count) {
  round_all<Float64, BFloat16>(in, out, count);
}

}  // namespace sapwood::kernels::scalar
