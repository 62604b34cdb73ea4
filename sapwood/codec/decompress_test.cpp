#include "sapwood/codec/decompress.h"

#include <gtest/gtest.h>

#include <thread>

#include "sapwood/base/error.h"
#include "sapwood/codec/test_records.h"

namespace sapwood::codec {
namespace {

class EveryCodec : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Codecs, EveryCodec, testing::ValuesIn(built_in()),
                         [](const auto& codec) { return codec.param; });

Memory decompressed(const Memory& record, size_t size) {
  Memory output(size);
  decompress(record, output);
  return output;
}

Memory joined(const std::vector<Memory>& parts) {
  Memory result;
  for (const Memory& part : parts) result.insert(result.end(), part.begin(), part.end());
  return result;
}

TEST_P(EveryCodec, GivesTheDataBack) {
  for (const size_t size : {1, 100, 4096, 1000000}) {
    const Memory data = sample_data(size);
    const Memory record = make_block(GetParam(), data);
    EXPECT_EQ(decompressed(record, size), data) << size;
    EXPECT_EQ(algorithm_name(record), GetParam());
  }
}

TEST_P(EveryCodec, JoinsBlocks) {
  const Memory first = sample_data(5000, 1);
  const Memory second = sample_data(300, 2);
  // A record may even change its algorithm half-way.
  const Memory record =
      joined({make_block(GetParam(), first), make_block("zlib", second), make_block(GetParam(), first)});
  EXPECT_EQ(decompressed(record, 10300), joined({first, second, first}));
}

TEST_P(EveryCodec, ReadsTheLargestBlock) {
  Memory data = sample_data(100000);
  data.resize(0xffffff);  // zeros for the rest, which compress quickly
  EXPECT_EQ(decompressed(make_block(GetParam(), data), data.size()), data);
}

TEST_P(EveryCodec, SurvivesEveryFlippedByte) {
  const Memory data = sample_data(600);
  const Memory record = make_block(GetParam(), data);
  // The old codec and ROOT's Zstandard have no checksum: a flip may pass for other data.
  const bool checked = GetParam() != "old" && GetParam() != "zstd";
  for (size_t i = 0; i < record.size(); ++i) {
    for (const int mask : {0x01, 0x80, 0xff}) {
      Memory flipped = record;
      flipped[i] ^= static_cast<std::byte>(mask);
      try {
        const Memory output = decompressed(flipped, data.size());
        EXPECT_TRUE(!checked || output == data) << "byte " << i;
      } catch (const Error&) {
      }
    }
  }
}

TEST_P(EveryCodec, RefusesEveryTruncation) {
  const Memory data = sample_data(600);
  const Memory record = make_block(GetParam(), data);
  for (size_t size = 0; size < record.size(); ++size) {
    if (size == data.size()) continue;
    EXPECT_THROW(decompressed({record.begin(), record.begin() + static_cast<ptrdiff_t>(size)}, data.size()),
                 FormatError)
        << size;
  }
}

TEST_P(EveryCodec, RefusesWrongSizes) {
  const Memory data = sample_data(600);
  const Memory record = make_block(GetParam(), data);
  EXPECT_THROW(decompressed(record, 599), FormatError);
  EXPECT_THROW(decompressed(record, 601), FormatError);
  EXPECT_THROW(decompressed(record, 0), FormatError);
  Memory longer = record;
  longer.push_back(std::byte{0});
  EXPECT_THROW(decompressed(longer, 600), FormatError);
  // A header that says less, or more, than the payload holds.
  for (const int change : {-1, 1}) {
    Memory changed = record;
    changed[6] = static_cast<std::byte>(std::to_integer<int>(changed[6]) + change);
    EXPECT_THROW(decompressed(changed, static_cast<size_t>(600 + change)), FormatError);
  }
  // Payload bytes that the stream does not use.
  Memory padded = record;
  padded.push_back(std::byte{0});
  padded[3] = static_cast<std::byte>(std::to_integer<int>(padded[3]) + 1);
  EXPECT_THROW(decompressed(padded, 600), FormatError);
}

TEST_P(EveryCodec, WorksInManyThreads) {
  const Memory data = sample_data(20000);
  const Memory record = make_block(GetParam(), data);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int repeat = 0; repeat < 20; ++repeat) EXPECT_EQ(decompressed(record, data.size()), data);
    });
  }
}

TEST_P(EveryCodec, RecoversAfterABadBlock) {
  const Memory data = sample_data(600);
  const Memory record = make_block(GetParam(), data);
  Memory bad = record;
  bad.resize(bad.size() - 10);
  EXPECT_THROW(decompressed(bad, data.size()), FormatError);
  EXPECT_EQ(decompressed(record, data.size()), data);
}

TEST_P(EveryCodec, TellsASizeBeforeMemoryIsAllocated) {
  const Memory block = make_block(GetParam(), sample_data(5000));
  const Memory record = joined({block, block});
  EXPECT_NO_THROW(require_size(record, 10000));
  EXPECT_THROW(require_size(record, 10001), Error);
  EXPECT_THROW(require_size(record, uint64_t{1} << 40), Error);
  Memory corrupt = record;
  for (size_t i = 9; i < block.size(); ++i) corrupt[i] ^= std::byte{0xff};
  EXPECT_THROW(require_size(corrupt, 10000), FormatError);
  EXPECT_TRUE(is_plausible_size(100, 1 << 20));
  EXPECT_TRUE(is_plausible_size(1 << 20, 60 << 20));
  EXPECT_FALSE(is_plausible_size(100, 100 << 20));
}

TEST(Decompress, CopiesWhatIsNotCompressed) {
  const Memory data = sample_data(100);
  EXPECT_EQ(decompressed(data, 100), data);
  EXPECT_EQ(algorithm_name(data), "none");
  EXPECT_EQ(decompressed({}, 0), Memory{});
  EXPECT_EQ(algorithm_name({}), "none");
}

TEST(Decompress, NamesAnAlgorithmItDoesNotKnow) {
  Memory record = make_block("zlib", sample_data(100));
  record[0] = std::byte{'Q'};
  try {
    decompressed(record, 100);
    FAIL();
  } catch (const UnsupportedError& error) {
    EXPECT_NE(std::string(error.what()).find("\"QL\""), std::string::npos) << error.what();
  }
  record = make_block("zlib", sample_data(100));
  record[2] = std::byte{9};
  EXPECT_THROW(decompressed(record, 100), UnsupportedError);
}

TEST(Decompress, RefusesBlocksOfNoSize) {
  Memory empty(9);
  empty[0] = std::byte{'Z'};
  empty[1] = std::byte{'S'};
  EXPECT_THROW(decompressed(joined({empty, make_block("zstd", sample_data(100))}), 100), FormatError);
}

}  // namespace
}  // namespace sapwood::codec
