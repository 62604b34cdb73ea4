#include "sapwood/kernels/philox.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace sapwood::kernels {
namespace {

TEST(Philox, SameAsScalar) {
  std::mt19937 random(3);
  for (size_t count = 0; count < 70; ++count) {
    const std::array<uint32_t, 4> counter{count % 2 == 0 ? 0xFFFFFF00u : static_cast<uint32_t>(random() / 2),
                                          static_cast<uint32_t>(random()), static_cast<uint32_t>(random()),
                                          static_cast<uint32_t>(random())};
    const std::array<uint32_t, 2> key{static_cast<uint32_t>(random()), static_cast<uint32_t>(random())};
    std::vector<uint64_t> first(count), second(count), first_scalar(count), second_scalar(count);
    philox_run(counter, key, count, first.data(), second.data());
    scalar::philox_run(counter, key, count, first_scalar.data(), second_scalar.data());
    ASSERT_EQ(first, first_scalar);
    ASSERT_EQ(second, second_scalar);
  }
}

}  // namespace
}  // namespace sapwood::kernels
