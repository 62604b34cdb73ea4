#include "sapwood/kernels/elementary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sapwood/kernels/elementary.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h: it is read again for every target.
#include <hwy/highway.h>

// Calls `action(function, its name, accuracy)` for each, with the names of C and SLEEF's of accuracies.
// clang-format off
#undef SAPWOOD_ELEMENTARY
#define SAPWOOD_ELEMENTARY(action) \
  action(kSin, sin, u10) action(kCos, cos, u10) action(kTan, tan, u10) \
  action(kAsin, asin, u10) action(kAcos, acos, u10) action(kAtan, atan, u10) \
  action(kSinh, sinh, u10) action(kCosh, cosh, u10) action(kTanh, tanh, u10) \
  action(kAsinh, asinh, u10) action(kAcosh, acosh, u10) action(kAtanh, atanh, u10) \
  action(kExp, exp, u10) action(kExp2, exp2, u10) action(kExpm1, expm1, u10) \
  action(kLog, log, u10) action(kLog2, log2, u10) action(kLog10, log10, u10) action(kLog1p, log1p, u10) \
  action(kCbrt, cbrt, u10)
#undef SAPWOOD_ELEMENTARY_OF_TWO
#define SAPWOOD_ELEMENTARY_OF_TWO(action) \
  action(kAtan2, atan2, u10) action(kHypot, hypot, u05) action(kPow, pow, u10)
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace sapwood::kernels {
namespace HWY_NAMESPACE {

// SLEEF's names say for how many elements of which processor a function is. "cinz": without fused operations,
// of the same results as all others of that kind. Its own header declares only those for the processor that
// the compiler is told to build for.
#undef SAPWOOD_FLOAT32
#undef SAPWOOD_FLOAT64
#undef SAPWOOD_VECTOR32
#undef SAPWOOD_VECTOR64
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
#define SAPWOOD_FLOAT32(name, accuracy) Sleef_cinz_##name##f16_##accuracy##avx512fnofma
#define SAPWOOD_FLOAT64(name, accuracy) Sleef_cinz_##name##d8_##accuracy##avx512fnofma
#define SAPWOOD_VECTOR32 __m512
#define SAPWOOD_VECTOR64 __m512d
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
#define SAPWOOD_FLOAT32(name, accuracy) Sleef_cinz_##name##f8_##accuracy##avx
#define SAPWOOD_FLOAT64(name, accuracy) Sleef_cinz_##name##d4_##accuracy##avx
#define SAPWOOD_VECTOR32 __m256
#define SAPWOOD_VECTOR64 __m256d
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_SSSE3
#define SAPWOOD_FLOAT32(name, accuracy) Sleef_cinz_##name##f4_##accuracy##sse2
#define SAPWOOD_FLOAT64(name, accuracy) Sleef_cinz_##name##d2_##accuracy##sse2
#define SAPWOOD_VECTOR32 __m128
#define SAPWOOD_VECTOR64 __m128d
#else
#define SAPWOOD_FLOAT32(name, accuracy) Sleef_cinz_##name##f1_##accuracy##purec
#define SAPWOOD_FLOAT64(name, accuracy) Sleef_cinz_##name##d1_##accuracy##purec
#define SAPWOOD_VECTOR32 float
#define SAPWOOD_VECTOR64 double
#endif

#undef SAPWOOD_DECLARE
#define SAPWOOD_DECLARE(function, name, accuracy)                                \
  extern "C" SAPWOOD_VECTOR32 SAPWOOD_FLOAT32(name, accuracy)(SAPWOOD_VECTOR32); \
  extern "C" SAPWOOD_VECTOR64 SAPWOOD_FLOAT64(name, accuracy)(SAPWOOD_VECTOR64);
#undef SAPWOOD_DECLARE_OF_TWO
#define SAPWOOD_DECLARE_OF_TWO(function, name, accuracy)                                           \
  extern "C" SAPWOOD_VECTOR32 SAPWOOD_FLOAT32(name, accuracy)(SAPWOOD_VECTOR32, SAPWOOD_VECTOR32); \
  extern "C" SAPWOOD_VECTOR64 SAPWOOD_FLOAT64(name, accuracy)(SAPWOOD_VECTOR64, SAPWOOD_VECTOR64);

SAPWOOD_ELEMENTARY(SAPWOOD_DECLARE)
SAPWOOD_ELEMENTARY_OF_TWO(SAPWOOD_DECLARE_OF_TWO)

namespace {

namespace hn = hwy::HWY_NAMESPACE;

// A number in every lane, or whole vectors and what remains one after another.
template <class T, class Vector>
class Lanes {
 public:
  // NOLINTNEXTLINE(bugprone-sizeof-expression): one where the vector is a number
  static constexpr size_t kCount = sizeof(Vector) / sizeof(T);

  static Vector load(const T* from) {
    if constexpr (kCount == 1) {
      return *from;
    } else {
      return hn::LoadU(kTag, from).raw;
    }
  }
  static void store(Vector v, T* to) {
    if constexpr (kCount == 1) {
      *to = v;
    } else {
      hn::StoreU(hn::Vec<Tag>{v}, kTag, to);
    }
  }
  // The elements since the `i`-th, of which there are not as many as lanes.
  static Vector load_rest(ElementaryOperand<T> from, size_t i, size_t count) {
    std::array<T, kCount> lanes{};
    if (from.is_constant) {
      lanes.fill(*from.data);
    } else {
      std::copy(from.data + i, from.data + count, lanes.begin());
    }
    return load(lanes.data());
  }

 private:
  using Tag = hn::FixedTag<T, kCount>;
  static constexpr Tag kTag{};
};

template <class T, class Result, class... Vectors, class... Operands>
void over(Result (*function)(Vectors...), T* out, size_t count, Operands... operands) {
  using Vector = std::common_type_t<Vectors...>;
  using Of = Lanes<T, Vector>;
  const std::tuple constants{operands.is_constant ? Of::load_rest(operands, 0, 0) : Vector{}...};
  const auto call = [&]<size_t... I>(size_t i, std::index_sequence<I...>) HWY_ATTR {
    return function((operands.is_constant ? std::get<I>(constants) : Of::load(operands.data + i))...);
  };
  size_t i = 0;
  for (; count - i >= Of::kCount; i += Of::kCount)
    Of::store(call(i, std::index_sequence_for<Operands...>()), out + i);
  if (i == count) return;
  std::array<T, Of::kCount> rest;
  Of::store(function(Of::load_rest(operands, i, count)...), rest.data());
  std::copy_n(rest.begin(), count - i, out + i);
}

// SLEEF's function of float or double.
#undef SAPWOOD_CASE
#define SAPWOOD_CASE(enumerator, name, accuracy)                              \
  case enumerator:                                                            \
    if constexpr (std::is_same_v<T, float>) {                                 \
      return over(&SAPWOOD_FLOAT32(name, accuracy), out, count, operands...); \
    } else {                                                                  \
      return over(&SAPWOOD_FLOAT64(name, accuracy), out, count, operands...); \
    }
#undef SAPWOOD_CASE_OF_ONE
#define SAPWOOD_CASE_OF_ONE(function, name, accuracy) SAPWOOD_CASE(Elementary::function, name, accuracy)
#undef SAPWOOD_CASE_OF_TWO
#define SAPWOOD_CASE_OF_TWO(function, name, accuracy) SAPWOOD_CASE(ElementaryOfTwo::function, name, accuracy)

template <class T, class... Operands>
void choose(Elementary function, T* out, size_t count, Operands... operands) {
  switch (function) { SAPWOOD_ELEMENTARY(SAPWOOD_CASE_OF_ONE) }
}

template <class T, class... Operands>
void choose(ElementaryOfTwo function, T* out, size_t count, Operands... operands) {
  switch (function) { SAPWOOD_ELEMENTARY_OF_TWO(SAPWOOD_CASE_OF_TWO) }
}

// What is exported can't be templates.
using Singles = ElementaryOperand<float>;
using Doubles = ElementaryOperand<double>;
void over_float32(Elementary function, Singles x, float* out, size_t count) {
  choose(function, out, count, x);
}
void over_float64(Elementary function, Doubles x, double* out, size_t count) {
  choose(function, out, count, x);
}
void two_over_float32(ElementaryOfTwo function, Singles a, Singles b, float* out, size_t count) {
  choose(function, out, count, a, b);
}
void two_over_float64(ElementaryOfTwo function, Doubles a, Doubles b, double* out, size_t count) {
  choose(function, out, count, a, b);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sapwood::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sapwood::kernels {
namespace {

HWY_EXPORT(over_float32);
HWY_EXPORT(over_float64);
HWY_EXPORT(two_over_float32);
HWY_EXPORT(two_over_float64);

// Up to where SLEEF's function is right; 0: everywhere.
template <class T>
T largest(Elementary function) {
  constexpr bool kIsSingle = sizeof(T) == sizeof(float);
  switch (function) {
    case Elementary::kTan:
    case Elementary::kAtanh:
      return std::numeric_limits<T>::max();
    case Elementary::kSinh:
    case Elementary::kCosh:
      return kIsSingle ? T{88} : T{709};
    case Elementary::kAsinh:
    case Elementary::kAcosh:
    case Elementary::kLog1p:
      return kIsSingle ? T(1e18) : T(1e150);
    default:
      return 0;
  }
}

template <class T>
T of_library(Elementary function, T x) {
  switch (function) {
#undef SAPWOOD_CASE
#define SAPWOOD_CASE(function, name, accuracy) \
  case Elementary::function:                   \
    return std::name(x);
    SAPWOOD_ELEMENTARY(SAPWOOD_CASE)
  }
  return x;
}

template <class T>
void correct(Elementary function, const T* in, T* out, size_t count) {
  const T limit = largest<T>(function);
  if (limit == 0) return;
  for (size_t i = 0; i < count; ++i) {
    const T size = std::fabs(in[i]);
    if (size > limit || size < std::numeric_limits<T>::min()) out[i] = of_library(function, in[i]);
  }
}

template <class T>
T of_library(ElementaryOfTwo function, T a, T b) {
  switch (function) {
#undef SAPWOOD_CASE
#define SAPWOOD_CASE(function, name, accuracy) \
  case ElementaryOfTwo::function:              \
    return std::name(a, b);
    SAPWOOD_ELEMENTARY_OF_TWO(SAPWOOD_CASE)
  }
  return a;
}

// All three where an operand or the result is very large or small, or no number.
template <class T>
void correct(ElementaryOfTwo function, ElementaryOperand<T> a, ElementaryOperand<T> b, T* out, size_t count) {
  constexpr T kLargest = sizeof(T) == sizeof(float) ? T(1e18) : T(1e150);
  const auto is_usual = [](T x) { return std::fabs(x) <= kLargest && std::fabs(x) >= 1 / kLargest; };
  for (size_t i = 0; i < count; ++i) {
    const T x = a.data[a.is_constant ? 0 : i];
    const T y = b.data[b.is_constant ? 0 : i];
    if (!is_usual(x) || !is_usual(y) || !is_usual(out[i])) out[i] = of_library(function, x, y);
  }
}

}  // namespace

void elementary(Elementary function, const float* in, float* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(over_float32)(function, {in}, out, count);
  correct(function, in, out, count);
}

void elementary(Elementary function, const double* in, double* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(over_float64)(function, {in}, out, count);
  correct(function, in, out, count);
}

void elementary(ElementaryOfTwo function, ElementaryOperand<float> a, ElementaryOperand<float> b, float* out,
                size_t count) {
  HWY_DYNAMIC_DISPATCH(two_over_float32)(function, a, b, out, count);
  correct(function, a, b, out, count);
}

void elementary(ElementaryOfTwo function, ElementaryOperand<double> a, ElementaryOperand<double> b,
                double* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(two_over_float64)(function, a, b, out, count);
  correct(function, a, b, out, count);
}

}  // namespace sapwood::kernels
#endif
