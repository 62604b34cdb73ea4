#include "sapwood/loader/permutation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace sapwood {
namespace {

TEST(Permutation, IsOneToOne) {
  for (uint64_t size = 1; size < 300; ++size) {
    const Permutation permutation(size, {size, 7});
    std::vector<bool> seen(size, false);
    for (uint64_t i = 0; i < size; ++i) {
      const uint64_t to = permutation(i);
      ASSERT_LT(to, size);
      ASSERT_FALSE(seen[to]) << size;
      seen[to] = true;
    }
  }
}

TEST(Permutation, KeysDrawDifferentOnes) {
  const Permutation first(1000, {1, 2});
  const Permutation second(1000, {1, 3});
  int equal = 0;
  for (uint64_t i = 0; i < 1000; ++i) equal += first(i) == second(i) ? 1 : 0;
  EXPECT_LT(equal, 10);
}

// Over many keys each number goes everywhere equally often, and neighbours part like any two.
TEST(Permutation, MixesEvenly) {
  for (const uint64_t size : {uint64_t{3}, uint64_t{5}, uint64_t{12}, uint64_t{100}}) {
    constexpr uint64_t kKeys = 20'000;
    const double expected = static_cast<double>(kKeys) / static_cast<double>(size);
    for (const uint64_t number : {uint64_t{0}, size / 2, size - 1}) {
      std::vector<double> counts(size);
      for (uint64_t key = 0; key < kKeys; ++key) {
        counts[Permutation(size, {mixed_bits(key), mixed_bits(~key)})(number)] += 1;
      }
      double chi2 = 0;
      for (const double count : counts) chi2 += (count - expected) * (count - expected) / expected;
      const auto freedom = static_cast<double>(size - 1);
      EXPECT_LT(chi2, freedom + 6 * std::sqrt(2 * freedom) + 6) << size << ' ' << number;
    }
  }
}

// Of a run of neighbours about the share of the selected numbers is selected: the half below `size` / 2.
TEST(Permutation, SelectsOfNeighboursAsOfAny) {
  constexpr uint64_t kSize = 1'000'000;
  constexpr uint64_t kRun = 100;
  const Permutation permutation(kSize, {11, 12});
  double chi2 = 0;
  for (uint64_t run = 0; run < kSize / kRun; ++run) {
    double below = 0;
    for (uint64_t i = 0; i < kRun; ++i) below += permutation(run * kRun + i) < kSize / 2 ? 1 : 0;
    chi2 += (below - kRun / 2.0) * (below - kRun / 2.0) / (kRun / 4.0);
  }
  const double runs = static_cast<double>(kSize) / kRun;
  EXPECT_NEAR(chi2, runs, 6 * std::sqrt(2 * runs));
}

}  // namespace
}  // namespace sapwood
