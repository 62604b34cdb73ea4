#pragma once

#include <cstddef>
#include <cstdint>

namespace sapwood::kernels {

// Elementary functions of arrays, by the vectors of SLEEF (https://sleef.org) in its variants without fused
// operations: within about one unit in the last place, and the same bits on every processor. Where SLEEF
// gives up early, beyond 10^18 or so and below the normal numbers, the C library's functions stand in, whose
// last bits may differ between processors.

enum class Elementary : uint8_t {
  kSin,
  kCos,
  kTan,
  kAsin,
  kAcos,
  kAtan,
  kSinh,
  kCosh,
  kTanh,
  kAsinh,
  kAcosh,
  kAtanh,
  kExp,
  kExpm1,
  kLog,
  kLog2,
  kLog10,
  kLog1p,
  kExp2,
  kCbrt,
};

enum class ElementaryOfTwo : uint8_t { kAtan2, kHypot, kPow };

/// An array, or one number in place of each element.
template <class T>
struct ElementaryOperand {
  const T* data = nullptr;
  bool is_constant = false;
};

/// out[i] = function(in[i]); the arrays do not overlap.
void elementary(Elementary function, const float* in, float* out, size_t count);
void elementary(Elementary function, const double* in, double* out, size_t count);

/// out[i] = function(a[i], b[i]), of which one may be constant.
void elementary(ElementaryOfTwo function, ElementaryOperand<float> a, ElementaryOperand<float> b, float* out,
                size_t count);
void elementary(ElementaryOfTwo function, ElementaryOperand<double> a, ElementaryOperand<double> b,
                double* out, size_t count);

}  // namespace sapwood::kernels
