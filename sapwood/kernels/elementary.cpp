#include "sapwood/kernels/elementary.h"

#include <sleef.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sapwood/kernels/elementary.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h: it is read again for every target.
#include <hwy/highway.h>

// Calls `action(function, its name)` for each, with the names of C.
#undef SAPWOOD_ELEMENTARY
#define SAPWOOD_ELEMENTARY(action)                                                                          \
  action(kSin, sin) action(kCos, cos) action(kTan, tan) action(kAsin, asin) action(kAcos, acos)             \
      action(kAtan, atan) action(kSinh, sinh) action(kCosh, cosh) action(kTanh, tanh) action(kAsinh, asinh) \
          action(kAcosh, acosh) action(kAtanh, atanh) action(kExp, exp) action(kExpm1, expm1)               \
              action(kLog, log) action(kLog2, log2) action(kLog10, log10) action(kLog1p, log1p)

HWY_BEFORE_NAMESPACE();
namespace sapwood::kernels {
namespace HWY_NAMESPACE {

// SLEEF's names say for how many elements of which processor a function is. "finz": with fused operations, of
// the same results as the others of that kind. Its header declares those that the compiler is told to use
// everywhere, and these are for some functions only.
#undef SAPWOOD_FLOAT32
#undef SAPWOOD_FLOAT64
#undef SAPWOOD_DECLARE
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
#define SAPWOOD_FLOAT32(name) Sleef_finz_##name##f16_u10avx512f
#define SAPWOOD_FLOAT64(name) Sleef_finz_##name##d8_u10avx512f
#define SAPWOOD_DECLARE(function, name)              \
  extern "C" __m512 SAPWOOD_FLOAT32(name)(__m512 x); \
  extern "C" __m512d SAPWOOD_FLOAT64(name)(__m512d x);
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
#define SAPWOOD_FLOAT32(name) Sleef_finz_##name##f8_u10avx2
#define SAPWOOD_FLOAT64(name) Sleef_finz_##name##d4_u10avx2
#define SAPWOOD_DECLARE(function, name)              \
  extern "C" __m256 SAPWOOD_FLOAT32(name)(__m256 x); \
  extern "C" __m256d SAPWOOD_FLOAT64(name)(__m256d x);
#elif HWY_ARCH_X86
#define SAPWOOD_FLOAT32(name) Sleef_cinz_##name##f1_u10purec
#define SAPWOOD_FLOAT64(name) Sleef_cinz_##name##d1_u10purec
#define SAPWOOD_DECLARE(function, name)
#else
#define SAPWOOD_FLOAT32(name) Sleef_finz_##name##f1_u10purecfma
#define SAPWOOD_FLOAT64(name) Sleef_finz_##name##d1_u10purecfma
#define SAPWOOD_DECLARE(function, name)
#endif

SAPWOOD_ELEMENTARY(SAPWOOD_DECLARE)

namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class T, class Result, class Vector>
void over(Result (*function)(Vector), const T* in, T* out, size_t count) {
  constexpr size_t kLanes = sizeof(Vector) / sizeof(T);
  if constexpr (kLanes == 1) {
    for (size_t i = 0; i < count; ++i) out[i] = function(in[i]);
  } else {
    const hn::FixedTag<T, kLanes> d;
    const auto apply = [&](const T* from, T* to) HWY_ATTR {
      hn::StoreU(hn::Vec<decltype(d)>{function(hn::LoadU(d, from).raw)}, d, to);
    };
    size_t i = 0;
    for (; count - i >= kLanes; i += kLanes) apply(in + i, out + i);
    if (i == count) return;
    std::array<T, kLanes> rest{};
    std::copy(in + i, in + count, rest.begin());
    apply(rest.data(), rest.data());
    std::copy_n(rest.begin(), count - i, out + i);
  }
}

void over_float32(Elementary function, const float* in, float* out, size_t count) {
  switch (function) {
#undef SAPWOOD_CASE
#define SAPWOOD_CASE(function, name) \
  case Elementary::function:         \
    return over(&SAPWOOD_FLOAT32(name), in, out, count);
    SAPWOOD_ELEMENTARY(SAPWOOD_CASE)
  }
}

void over_float64(Elementary function, const double* in, double* out, size_t count) {
  switch (function) {
#undef SAPWOOD_CASE
#define SAPWOOD_CASE(function, name) \
  case Elementary::function:         \
    return over(&SAPWOOD_FLOAT64(name), in, out, count);
    SAPWOOD_ELEMENTARY(SAPWOOD_CASE)
  }
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
#define SAPWOOD_CASE(function, name) \
  case Elementary::function:         \
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

}  // namespace

void elementary(Elementary function, const float* in, float* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(over_float32)(function, in, out, count);
  correct(function, in, out, count);
}

void elementary(Elementary function, const double* in, double* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(over_float64)(function, in, out, count);
  correct(function, in, out, count);
}

}  // namespace sapwood::kernels
#endif
