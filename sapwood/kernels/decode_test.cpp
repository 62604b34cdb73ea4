#include "sapwood/kernels/decode.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <span>
#include <vector>

#include "sapwood/base/error.h"
#include "sapwood/kernels/decode_scalar.h"

namespace sapwood::kernels {
namespace {

using Memory = std::vector<std::byte>;

constexpr std::byte kCanary{0xA5};
constexpr size_t kMargin = 64;

Memory random_bytes(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  Memory bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

std::vector<size_t> counts() {
  std::vector<size_t> result;
  for (size_t count = 0; count <= 70; ++count) result.push_back(count);
  for (const size_t count : {127, 128, 129, 255, 1000, 4097}) result.push_back(count);
  return result;
}

// Runs a loop and its twin over the same input, at every alignment of input and output, and compares all they
// wrote, the bytes beyond the end too.
using Loop = std::function<void(const std::byte* in, std::byte* out)>;

void expect_same(size_t in_size, size_t out_size, const Loop& loop, const Loop& twin,
                 const std::string& what) {
  for (const size_t shift : {0, 1, 3, 8}) {
    Memory in(shift);
    const Memory content = random_bytes(in_size, in_size * 31 + shift);
    in.insert(in.end(), content.begin(), content.end());  // nothing readable after the last byte
    Memory out(shift + out_size + kMargin, kCanary);
    Memory expected = out;
    loop(in.data() + shift, out.data() + shift);
    twin(in.data() + shift, expected.data() + shift);
    EXPECT_EQ(out, expected) << what << " at " << shift;
  }
}

template <class F>
void for_each_shape(const F& body) {
  for (const size_t element_size : {1, 2, 4, 8}) {
    for (const size_t count : counts()) {
      body(count, element_size, concat(count, " elements of ", element_size, " bytes"));
    }
  }
}

TEST(Decode, ByteSwapEqualsItsTwin) {
  for_each_shape([](size_t count, size_t size, const std::string& what) {
    expect_same(
        count * size, count * size, [=](auto in, auto out) { byte_swap(in, out, count, size); },
        [=](auto in, auto out) { scalar::byte_swap(in, out, count, size); }, what);
  });
}

TEST(Decode, ByteSwapWorksInPlace) {
  for_each_shape([](size_t count, size_t size, const std::string& what) {
    expect_same(
        count * size, count * size,
        [=](auto in, auto out) {
          std::copy(in, in + count * size, out);
          byte_swap(out, out, count, size);
        },
        [=](auto in, auto out) { scalar::byte_swap(in, out, count, size); }, what);
  });
}

TEST(Decode, UnsplitEqualsItsTwin) {
  for_each_shape([](size_t count, size_t size, const std::string& what) {
    expect_same(
        count * size, count * size, [=](auto in, auto out) { unsplit(in, out, count, size); },
        [=](auto in, auto out) { scalar::unsplit(in, out, count, size); }, what);
  });
}

// A loop that works in place, as one from input to output.
Loop in_place(size_t bytes, void (*loop)(std::byte*, size_t, size_t), size_t count, size_t size) {
  return [=](const std::byte* in, std::byte* out) {
    std::copy(in, in + bytes, out);
    loop(out, count, size);
  };
}

TEST(Decode, ZigzagEqualsItsTwin) {
  for_each_shape([](size_t count, size_t size, const std::string& what) {
    expect_same(count * size, count * size, in_place(count * size, zigzag_decode, count, size),
                in_place(count * size, scalar::zigzag_decode, count, size), what);
  });
}

TEST(Decode, DeltaEqualsItsTwin) {
  for_each_shape([](size_t count, size_t size, const std::string& what) {
    expect_same(count * size, count * size, in_place(count * size, delta_decode, count, size),
                in_place(count * size, scalar::delta_decode, count, size), what);
  });
}

TEST(Decode, BitsEqualTheirTwins) {
  for (const size_t count : counts()) {
    const size_t packed = (count + 7) / 8;
    expect_same(
        packed, count, [=](auto in, auto out) { unpack_bits(in, out, count); },
        [=](auto in, auto out) { scalar::unpack_bits(in, out, count); }, concat("unpack ", count));
    expect_same(
        count, packed, [=](auto in, auto out) { pack_bits(in, out, count); },
        [=](auto in, auto out) { scalar::pack_bits(in, out, count); }, concat("pack ", count));
  }
}

TEST(Decode, WidenOffsetsEqualsItsTwin) {
  for (const size_t count : counts()) {
    std::vector<uint32_t> in(count);
    std::mt19937 random(static_cast<unsigned>(count));
    for (uint32_t& offset : in) offset = static_cast<uint32_t>(random());
    for (const int64_t base : {int64_t{0}, int64_t{-7}, int64_t{1} << 40}) {
      std::vector<int64_t> out(count);
      std::vector<int64_t> expected(count);
      widen_offsets(in.data(), out.data(), count, base);
      scalar::widen_offsets(in.data(), expected.data(), count, base);
      EXPECT_EQ(out, expected);
    }
  }
}

// Known values, so that both twins cannot be wrong in the same way.

TEST(Decode, ByteSwapReadsBigEndian) {
  const std::vector<uint8_t> in{0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0};
  std::vector<float> out(2);
  byte_swap(std::as_bytes(std::span(in)).data(), std::as_writable_bytes(std::span(out)).data(), 2, 4);
  EXPECT_EQ(out, (std::vector<float>{1.0f, -2.0f}));
}

TEST(Decode, UnsplitJoinsTheBytesOfAnElement) {
  const std::vector<uint8_t> in{0x01, 0x11, 0x02, 0x12, 0x03, 0x13, 0x04, 0x14};
  std::vector<uint32_t> out(2);
  unsplit(std::as_bytes(std::span(in)).data(), std::as_writable_bytes(std::span(out)).data(), 2, 4);
  EXPECT_EQ(out, (std::vector<uint32_t>{0x04030201, 0x14131211}));
}

TEST(Decode, ZigzagAlternatesSigns) {
  std::vector<uint64_t> values{0, 1, 2, 3, UINT64_MAX, UINT64_MAX - 1};
  zigzag_decode(std::as_writable_bytes(std::span(values)).data(), values.size(), 8);
  EXPECT_EQ(static_cast<int64_t>(values[1]), -1);
  EXPECT_EQ(static_cast<int64_t>(values[2]), 1);
  EXPECT_EQ(static_cast<int64_t>(values[3]), -2);
  EXPECT_EQ(static_cast<int64_t>(values[4]), INT64_MIN);
  EXPECT_EQ(static_cast<int64_t>(values[5]), INT64_MAX);
}

TEST(Decode, DeltaIsARunningSumThatWrapsAround) {
  std::vector<uint32_t> values{1, 2, 3, UINT32_MAX, 10, 0};
  delta_decode(std::as_writable_bytes(std::span(values)).data(), values.size(), 4);
  EXPECT_EQ(values, (std::vector<uint32_t>{1, 3, 6, 5, 15, 15}));
}

TEST(Decode, BitsStartAtTheLeastSignificant) {
  const std::vector<uint8_t> packed{0b00000101, 0b1};
  std::vector<uint8_t> bools(9);
  unpack_bits(std::as_bytes(std::span(packed)).data(), std::as_writable_bytes(std::span(bools)).data(), 9);
  EXPECT_EQ(bools, (std::vector<uint8_t>{1, 0, 1, 0, 0, 0, 0, 0, 1}));
}

TEST(Decode, RefusesOtherElementSizes) {
  Memory bytes(24);
  EXPECT_THROW(byte_swap(bytes.data(), bytes.data() + 12, 4, 3), UnsupportedError);
  EXPECT_THROW(unsplit(bytes.data(), bytes.data() + 12, 4, 3), UnsupportedError);
}

}  // namespace
}  // namespace sapwood::kernels
