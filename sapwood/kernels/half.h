#pragma once

#include <cstddef>

namespace sapwood::kernels {

// Floating numbers to those of 16 bits: float16 (IEEE 754's binary16) and bfloat16 (the upper half of a
// float32). Each is rounded once, to the nearest one, to the even one of two; what is too large becomes
// infinity; NaN becomes the quiet NaN of the same sign. Inputs and outputs may be unaligned and must not
// overlap. Vectorised with Highway; every function has a scalar twin of the same name in `kernels::scalar`,
// which defines its result.

void float32_to_float16(const std::byte* in, std::byte* out, size_t count);
void float64_to_float16(const std::byte* in, std::byte* out, size_t count);
void float32_to_bfloat16(const std::byte* in, std::byte* out, size_t count);
void float64_to_bfloat16(const std::byte* in, std::byte* out, size_t count);

}  // namespace sapwood::kernels
