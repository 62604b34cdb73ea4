#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

namespace sapwood::fuzz {

/// Writes the `size` lowest bytes of a number at `offset`. Throws std::out_of_range.
template <std::endian Order>
void put(std::span<std::byte> bytes, uint64_t offset, uint64_t value, size_t size) {
  if (size > bytes.size() || offset > bytes.size() - size) throw std::out_of_range("put");
  for (size_t i = 0; i < size; ++i) {
    const size_t shift = 8 * (Order == std::endian::little ? i : size - 1 - i);
    bytes[offset + i] = static_cast<std::byte>(value >> shift);
  }
}

}  // namespace sapwood::fuzz
