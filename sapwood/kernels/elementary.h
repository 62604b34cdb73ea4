#pragma once

#include <cstddef>
#include <cstdint>

namespace sapwood::kernels {

// Elementary functions of arrays, by the vectors of SLEEF (https://sleef.org): within about one unit in the
// last place, and the same bits on every processor with fused multiplication and addition. Where SLEEF gives
// up early, beyond 10^18 or so and below the normal numbers, the C library's functions stand in.

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
};

/// out[i] = function(in[i]); the arrays do not overlap.
void elementary(Elementary function, const float* in, float* out, size_t count);
void elementary(Elementary function, const double* in, double* out, size_t count);

}  // namespace sapwood::kernels
