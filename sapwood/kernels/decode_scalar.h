#pragma once

#include <cstddef>
#include <cstdint>

/// The scalar twins of the loops in decode.h: plain C++, which defines what the vectorised ones give.
namespace sapwood::kernels::scalar {

void byte_swap(const std::byte* in, std::byte* out, size_t count, size_t element_size);
void unsplit(const std::byte* in, std::byte* out, size_t count, size_t element_size);
void zigzag_decode(std::byte* values, size_t count, size_t element_size);
void delta_decode(std::byte* values, size_t count, size_t element_size);
void unpack_bits(const std::byte* in, std::byte* out, size_t count);
void pack_bits(const std::byte* in, std::byte* out, size_t count);
void widen_offsets(const uint32_t* in, int64_t* out, size_t count, int64_t base);

}  // namespace sapwood::kernels::scalar
