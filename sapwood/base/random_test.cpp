#include "sapwood/base/random.h"

#include <gtest/gtest.h>

namespace sapwood {
namespace {

using Counter = std::array<uint32_t, 4>;

// The known answers that come with the Random123 library (tests/kat_vectors, philox4x32 10).
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, TakesASeedLowWordFirst) {
  EXPECT_EQ(philox_key(0x299f31d0a4093822), (std::array<uint32_t, 2>{0xa4093822, 0x299f31d0}));
}

TEST(UniformFromBits, StaysBelowOne) {
  EXPECT_EQ(uniform_from_bits(0, 0), 0.0);
  EXPECT_EQ(uniform_from_bits(0x80000000, 0), 0.5);
  EXPECT_LT(uniform_from_bits(0xffffffff, 0xffffffff), 1.0);
}

}  // namespace
}  // namespace sapwood
