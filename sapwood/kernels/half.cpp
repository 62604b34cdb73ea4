#include "sapwood/kernels/half.h"

#include <cstdint>

#include "sapwood/kernels/half_scalar.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sapwood/kernels/half.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h: it is read again for every target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sapwood::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET == HWY_SCALAR

// A processor without what Highway asks for: the scalar twins do it.
using scalar::float32_to_bfloat16;
using scalar::float32_to_float16;
using scalar::float64_to_bfloat16;
using scalar::float64_to_float16;

#else

namespace {

namespace hn = hwy::HWY_NAMESPACE;

// The instructions of processors for this differ in rounding, NaN and subnormals, and none takes float64:
// only integers and one addition are used.
//
// Normal results: the exponent's bias is changed, and half of the last place that stays is added, less a bit
// where that place is even; what is carried ends up in the exponent. Subnormal ones: the addition of a power
// of two, `kMagic`, whose last place is the least subnormal, rounds as the processor does: to the nearest.
template <class FloatType, class BitsType, int kExponentBits, int kFraction, uint64_t kMagicBits>
struct Rounding {
  using Float = FloatType;
  using Bits = BitsType;
  static constexpr int kFromFraction = sizeof(Bits) == 4 ? 23 : 52;
  static constexpr int kFromBias = sizeof(Bits) == 4 ? 127 : 1023;
  static constexpr int kBias = (1 << (kExponentBits - 1)) - 1;
  static constexpr int kDropped = kFromFraction - kFraction;
  static constexpr auto kMagic = static_cast<Bits>(kMagicBits);
  static constexpr bool kHasSubnormals = kFromBias != kBias;  // else they are as normal ones
  static constexpr Bits kLeastNormal = static_cast<Bits>(kFromBias - kBias + 1) << kFromFraction;
  static constexpr Bits kTooLarge = static_cast<Bits>(kFromBias + kBias + 1) << kFromFraction;
  static constexpr Bits kFromInfinity = static_cast<Bits>(2 * kFromBias + 1) << kFromFraction;
  static constexpr Bits kRebiased = Bits{0} - (static_cast<Bits>(kFromBias - kBias) << kFromFraction);
  static constexpr Bits kBelowHalf = (Bits{1} << (kDropped - 1)) - 1;
  static constexpr Bits kInfinity = ((Bits{1} << kExponentBits) - 1) << kFraction;
  static constexpr Bits kNan = kInfinity | Bits{1} << (kFraction - 1);
  static constexpr Bits kSign = Bits{1} << (8 * sizeof(Bits) - 1);
  static constexpr int kSignShift = 8 * static_cast<int>(sizeof(Bits)) - 16;
};
// The magic numbers: 2^-1, 2^28 and 2^-81; for the same exponents, none.
using Float32To16 = Rounding<float, uint32_t, 5, 10, 0x3f000000>;
using Float64To16 = Rounding<double, uint64_t, 5, 10, 0x41b0000000000000>;
using Float32ToB16 = Rounding<float, uint32_t, 8, 7, 0>;
using Float64ToB16 = Rounding<double, uint64_t, 8, 7, 0x3ae0000000000000>;

using Octets = hn::ScalableTag<uint8_t>;
using Words = hn::Repartition<uint32_t, Octets>;

// The 16 bits of each result, in lanes of the input's width.
template <class R>
HWY_INLINE auto rounded(const std::byte* in) {
  using Bits = typename R::Bits;
  const Octets octets;
  const hn::Repartition<Bits, Octets> d;
  const hn::RebindToSigned<decltype(d)> ds;
  const hn::Repartition<typename R::Float, Octets> df;
  const auto bits =
      hn::BitCast(d, hn::LoadU(octets, static_cast<const uint8_t*>(static_cast<const void*>(in))));
  const auto magnitude = hn::AndNot(hn::Set(d, R::kSign), bits);
  const auto sign = hn::ShiftRight<R::kSignShift>(hn::And(hn::Set(d, R::kSign), bits));
  const auto is_at_least = [&](Bits limit) HWY_ATTR {  // magnitudes and limits are positive as signed ones
    return hn::RebindMask(d, hn::Gt(hn::BitCast(ds, magnitude), hn::BitCast(ds, hn::Set(d, limit - 1))));
  };
  const auto odd = hn::And(hn::ShiftRight<R::kDropped>(magnitude), hn::Set(d, Bits{1}));
  auto result = hn::Add(hn::Add(magnitude, hn::Set(d, R::kRebiased + R::kBelowHalf)), odd);
  result = hn::ShiftRight<R::kDropped>(result);
  if constexpr (R::kHasSubnormals) {
    const auto magic = hn::Set(d, R::kMagic);
    const auto sum = hn::Add(hn::BitCast(df, magnitude), hn::BitCast(df, magic));
    result = hn::IfThenElse(is_at_least(R::kLeastNormal), result, hn::Sub(hn::BitCast(d, sum), magic));
    result = hn::IfThenElse(is_at_least(R::kTooLarge), hn::Set(d, R::kInfinity), result);
  }
  result = hn::IfThenElse(is_at_least(R::kFromInfinity + 1), hn::Set(d, R::kNan), result);
  return hn::Or(result, sign);
}

// As many results as there are words in a vector.
template <class R>
HWY_INLINE void round_some(const std::byte* in, std::byte* out) {
  const Words words;
  const hn::RebindToSigned<Words> signed_words;
  const hn::Rebind<uint16_t, Words> halves;
  auto results = hn::Zero(words);
  if constexpr (sizeof(typename R::Bits) == 4) {
    results = rounded<R>(in);
  } else {
    const auto low = hn::BitCast(words, rounded<R>(in));
    const auto high = hn::BitCast(words, rounded<R>(in + hn::Lanes(Octets())));
    results = hn::ConcatEven(words, high, low);
  }
  const auto packed = hn::DemoteTo(halves, hn::BitCast(signed_words, results));
  const hn::Repartition<uint8_t, decltype(halves)> octets;
  hn::StoreU(hn::BitCast(octets, packed), octets, static_cast<uint8_t*>(static_cast<void*>(out)));
}

// Whole vectors, then the last whole one of the array, where writing some elements again does no harm; arrays
// that are shorter than one are left to the scalar twin.
template <class R, class Twin>
HWY_INLINE void round_all(const std::byte* in, std::byte* out, size_t count, Twin twin) {
  constexpr size_t kFrom = sizeof(typename R::Bits);
  constexpr size_t kTo = sizeof(uint16_t);
  const size_t lanes = hn::Lanes(Words());
  if (count < lanes) return twin(in, out, count);
  for (size_t done = 0; done + lanes <= count; done += lanes)
    round_some<R>(in + done * kFrom, out + done * kTo);
  round_some<R>(in + (count - lanes) * kFrom, out + (count - lanes) * kTo);
}

}  // namespace

void float32_to_float16(const std::byte* in, std::byte* out, size_t count) {
  round_all<Float32To16>(in, out, count, scalar::float32_to_float16);
}
void float64_to_float16(const std::byte* in, std::byte* out, size_t count) {
  round_all<Float64To16>(in, out, count, scalar::float64_to_float16);
}
void float32_to_bfloat16(const std::byte* in, std::byte* out, size_t count) {
  round_all<Float32ToB16>(in, out, count, scalar::float32_to_bfloat16);
}
void float64_to_bfloat16(const std::byte* in, std::byte* out, size_t count) {
  round_all<Float64ToB16>(in, out, count, scalar::float64_to_bfloat16);
}

#endif
}  // namespace HWY_NAMESPACE
}  // namespace sapwood::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sapwood::kernels {
namespace {

HWY_EXPORT(float32_to_float16);
HWY_EXPORT(float64_to_float16);
HWY_EXPORT(float32_to_bfloat16);
HWY_EXPORT(float64_to_bfloat16);

}  // namespace

void float32_to_float16(const std::byte* in, std::byte* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(float32_to_float16)(in, out, count);
}
void float64_to_float16(const std::byte* in, std::byte* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(float64_to_float16)(in, out, count);
}
void float32_to_bfloat16(const std::byte* in, std::byte* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(float32_to_bfloat16)(in, out, count);
}
void float64_to_bfloat16(const std::byte* in, std::byte* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(float64_to_bfloat16)(in, out, count);
}

}  // namespace sapwood::kernels
#endif
