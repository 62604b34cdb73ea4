#pragma once

#include <cstddef>

/// The scalar twins of the loops in half.h: plain C++ on integers, which defines what the vectorised ones
/// give.
namespace sapwood::kernels::scalar {

void float32_to_float16(const std::byte* in, std::byte* out, size_t count);
void float64_to_float16(const std::byte* in, std::byte* out, size_t count);
void float32_to_bfloat16(const std::byte* in, std::byte* out, size_t count);
void float64_to_bfloat16(const std::byte* in, std::byte* out, size_t count);

}  // namespace sapwood::kernels::scalar
