#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace sapwood {

/// A bijection of [0, size) that a key draws: cheap, evenly mixing, nothing to keep secrets with. Rounds of a
/// multiplication and a shift permute a power of two that is not less; numbers beyond `size` go round again.
class Permutation {
 public:
  /// `size` is at least 1.
  Permutation(uint64_t size, std::array<uint64_t, 2> key);
  uint64_t operator()(uint64_t number) const {
    do {
      for (const uint64_t round : rounds_) {
        number = ((number ^ round) * (std::rotl(round, 32) | 1)) & mask_;
        number ^= number >> shift_;
      }
    } while (number >= size_);
    return number;
  }

 private:
  uint64_t size_;
  uint64_t mask_;
  int shift_;
  std::array<uint64_t, 4> rounds_;
};

/// 64 bits that depend on all of `number`, one to one.
constexpr uint64_t mixed_bits(uint64_t number) {
  number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9u;  // the finaliser of SplitMix64
  number = (number ^ number >> 27) * 0x94D049BB133111EBu;
  return number ^ number >> 31;
}

}  // namespace sapwood
