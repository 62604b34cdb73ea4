#pragma once

#include <cstddef>
#include <cstdint>

namespace sapwood::kernels {

// Loops over arrays of one element size (1, 2, 4 or 8 bytes), vectorised with Highway for the processor at
// hand. Inputs and outputs may be unaligned; they must not overlap, unless said otherwise. Every function has
// a scalar twin of the same name in `kernels::scalar`, which defines its result.

/// Big-endian elements to native order; a plain copy for element size 1. `in` and `out` may be the same.
void byte_swap(const std::byte* in, std::byte* out, size_t count, size_t element_size);

/// RNTuple split encoding to native order: `in` holds byte 0 (the least significant) of all elements, then
/// byte 1 of all, and so on.
void unsplit(const std::byte* in, std::byte* out, size_t count, size_t element_size);

/// In place: zigzag-coded unsigned elements to two's complement, (v >> 1) ^ -(v & 1).
void zigzag_decode(std::byte* values, size_t count, size_t element_size);

/// In place: differences to values, a running sum that starts at 0 and wraps around.
void delta_decode(std::byte* values, size_t count, size_t element_size);

/// `count` bits, least significant of each byte first, to bytes of 0 and 1.
void unpack_bits(const std::byte* in, std::byte* out, size_t count);
/// The inverse; spare bits of the last byte are 0.
void pack_bits(const std::byte* in, std::byte* out, size_t count);

/// out[i] = base + in[i], for unsigned 32-bit `in`.
void widen_offsets(const uint32_t* in, int64_t* out, size_t count, int64_t base);

}  // namespace sapwood::kernels
