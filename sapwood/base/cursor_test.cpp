#include "sapwood/base/cursor.h"

#include <gtest/gtest.h>

#include <array>

namespace sapwood {
namespace {

constexpr std::array<std::byte, 8> kBytes{std::byte{0x3f}, std::byte{0x80}, std::byte{0}, std::byte{0},
                                          std::byte{1},    std::byte{2},    std::byte{3}, std::byte{4}};

TEST(ByteCursor, ReadsInItsByteOrder) {
  BigEndianCursor big(kBytes);
  EXPECT_EQ(big.read<float>(), 1.0f);
  EXPECT_EQ(big.read<uint32_t>(), 0x01020304u);
  LittleEndianCursor little(kBytes);
  little.seek(4);
  EXPECT_EQ(little.read<uint16_t>(), 0x0201u);
}

TEST(ByteCursor, ThrowsPastTheEnd) {
  BigEndianCursor cursor(kBytes, "key");
  cursor.skip(6);
  EXPECT_THROW(cursor.read<uint32_t>(), FormatError);
  EXPECT_EQ(cursor.position(), 6u);
  EXPECT_THROW(cursor.take(SIZE_MAX), FormatError);
  EXPECT_THROW(cursor.seek(9), FormatError);
  EXPECT_THROW(cursor.require(UINT64_MAX / 2, 8), FormatError);
  EXPECT_NO_THROW(cursor.require(2, 1));
}

}  // namespace
}  // namespace sapwood
