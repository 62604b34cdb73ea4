#include "sapwood/loader/permutation.h"

#include <algorithm>

namespace sapwood {
namespace {

constexpr int kFewestBits = 8;  // of fewer the rounds draw some permutations more often than others

}  // namespace

Permutation::Permutation(uint64_t size, std::array<uint64_t, 2> key) : size_(size) {
  const int bits = std::max(kFewestBits, static_cast<int>(std::bit_width(size - 1)));
  mask_ = UINT64_MAX >> (64 - bits);
  shift_ = (bits + 1) / 2;
  for (size_t r = 0; r < rounds_.size(); ++r) rounds_[r] = mixed_bits(key[r % 2] + mixed_bits(r + 1));
}

}  // namespace sapwood
