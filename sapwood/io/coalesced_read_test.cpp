#include <gtest/gtest.h>

#include <cstring>

#include "sapwood/base/error.h"
#include "sapwood/io/random_access_file.h"
#include "sapwood/io/test_folder.h"

namespace sapwood::io {
namespace {

// A file in memory that counts its reads.
class MemoryFile final : public RandomAccessFile {
 public:
  explicit MemoryFile(std::string content) : content_(std::move(content)) {}
  const std::string& uri() const override { return uri_; }
  uint64_t size() const override { return content_.size(); }
  void read_at(uint64_t offset, std::span<std::byte> out, const std::stop_token&) const override {
    ++reads;
    std::memcpy(out.data(), content_.data() + offset, out.size());
  }
  bool is_at_hand(const ByteRange& range) const override {
    ++looks;
    return range.offset + range.size <= at_hand;
  }
  mutable int reads = 0;
  mutable int looks = 0;
  uint64_t at_hand = 0;  // of its first bytes

 private:
  std::string uri_ = "memory";
  std::string content_;
};

std::string text_of(const StoredBytes& stored) {
  ScratchBuffer scratch(heap_pool());
  const Bytes bytes = stored.get(scratch);
  return BigEndianCursor(bytes).read_text(bytes.size());
}

TEST(CoalescedRead, JoinsNeighboursInAnyOrder) {
  const MemoryFile file("abcdefghijklmnopqrstuvwxyz");
  const std::vector<ByteRange> ranges{{20, 3}, {0, 2}, {4, 2}, {5, 3}, {1, 0}};
  const CoalescedRead read(file, ranges, heap_pool(), 4);
  EXPECT_EQ(read.requests(), 2u);
  EXPECT_EQ(file.reads, 3);  // what is between the parts of a request is left to the medium
  EXPECT_EQ(text_of(read[0]), "uvw");
  EXPECT_EQ(text_of(read[1]), "ab");
  EXPECT_EQ(text_of(read[2]), "ef");
  EXPECT_EQ(text_of(read[3]), "fgh");
  EXPECT_EQ(text_of(read[4]), "");
}

TEST(CoalescedRead, KeepsWhatLiesInsideAnotherRange) {
  const MemoryFile file("abcdefgh");
  const std::vector<ByteRange> ranges{{0, 8}, {2, 2}, {6, 2}};
  const CoalescedRead read(file, ranges, heap_pool(), 0);
  EXPECT_EQ(read.requests(), 1u);
  EXPECT_EQ(text_of(read[1]), "cd");
  EXPECT_EQ(text_of(read[2]), "gh");
}

TEST(CoalescedRead, HoldsNothingBetweenTheRanges) {
  const TestFolder folder;
  std::string content;
  for (int i = 0; i < 3'000'000; ++i) content += static_cast<char>('a' + i % 23);
  const auto file = open_local_file(folder.write("data", content));
  std::vector<ByteRange> ranges;
  uint64_t wanted = 0;
  for (uint64_t offset = 5; offset + 200 < content.size(); offset += 1'000 + offset % 700) {
    ranges.push_back({offset, 100 + offset % 50});
    wanted += ranges.back().size;
  }
  ASSERT_GT(ranges.size(), 2000u);  // more than one system call takes
  const auto pool = std::make_shared<RecyclingPool>();
  const CoalescedRead read(*file, ranges, pool);
  EXPECT_EQ(read.requests(), 1u);
  EXPECT_LT(pool->bytes_in_use(), wanted * 2);
  for (size_t i = 0; i < ranges.size(); ++i)
    ASSERT_EQ(text_of(read[i]), content.substr(ranges[i].offset, ranges[i].size));
}

TEST(CoalescedRead, LeavesLargeRangesThatAreAtHand) {
  constexpr uint64_t kLarge = CoalescedRead::kSmallestLeft;
  std::string content;
  for (uint64_t i = 0; i < 8 * kLarge; ++i) content += static_cast<char>('a' + i % 23);
  MemoryFile file(content);
  file.at_hand = 4 * kLarge;
  // Two that are read together, one of them small; one at hand alone; two that are not.
  const std::vector<ByteRange> ranges{
      {1, kLarge}, {kLarge + 2, 5}, {3 * kLarge, kLarge}, {5 * kLarge, kLarge}, {7 * kLarge, 7}};
  const auto pool = std::make_shared<RecyclingPool>();
  const CoalescedRead read(file, ranges, pool, 10);
  EXPECT_EQ(file.reads, 3);
  EXPECT_LT(pool->bytes_in_use(), 3 * kLarge);
  EXPECT_EQ(read.held_bytes(), 5 + kLarge + 7);
  for (size_t i = 0; i < ranges.size(); ++i) {
    EXPECT_EQ(read[i].size(), ranges[i].size);
    EXPECT_EQ(text_of(read[i]), content.substr(ranges[i].offset, ranges[i].size));
  }
  EXPECT_EQ(file.reads, 5);
  ScratchBuffer scratch(pool);
  EXPECT_EQ(read[2].first(1, scratch)[0], std::byte(content[3 * kLarge]));
}

TEST(CoalescedRead, LooksAtSomeOfManyRanges) {
  constexpr uint64_t kLarge = CoalescedRead::kSmallestLeft;
  MemoryFile file(std::string(size_t{20} << 20, 'x'));
  std::vector<ByteRange> ranges;
  for (uint64_t offset = 0; offset + kLarge <= file.size(); offset += uint64_t{100} << 10)
    ranges.push_back({offset, kLarge});
  file.at_hand = file.size();
  const CoalescedRead left(file, ranges, heap_pool());
  EXPECT_EQ(file.reads, 0);
  EXPECT_LE(file.looks, 7);
  file.at_hand = file.size() / 2;  // what lies behind it is read at once, and only that
  const CoalescedRead read(file, ranges, heap_pool());
  EXPECT_EQ(read.requests(), ranges.size() / 2);
}

TEST(CoalescedRead, SaysWhenTheFileWasCutAfterwards) {
  const TestFolder folder;
  const std::string path = folder.write("data", std::string(100'000, 'x'));
  const auto file = open_local_file(path);
  const std::vector<ByteRange> ranges{{10'000, 80'000}};
  if (!file->is_at_hand(ranges[0])) GTEST_SKIP() << "the file system does not tell what is in the cache";
  const CoalescedRead read(*file, ranges, heap_pool());
  EXPECT_EQ(read.requests(), 0u);
  std::filesystem::resize_file(path, 50'000);
  ScratchBuffer scratch(heap_pool());
  EXPECT_THROW(read[0].get(scratch), FormatError);
  EXPECT_FALSE(file->is_at_hand(ranges[0]));
}

TEST(CoalescedRead, SaysWhenTheFileWasCut) {
  const TestFolder folder;
  const std::string path = folder.write("data", std::string(100'000, 'x'));
  const auto file = open_local_file(path);
  std::filesystem::resize_file(path, 50'000);
  const std::vector<ByteRange> ranges{{10, 100}, {40'000, 100}, {60'000, 100}};
  EXPECT_THROW(CoalescedRead(*file, ranges, heap_pool()), FormatError);
}

TEST(CoalescedRead, ThrowsBeforeAllocatingWhenARangeLeavesTheFile) {
  const MemoryFile file("abc");
  for (const ByteRange bad :
       {ByteRange{0, 4}, ByteRange{4, 0}, ByteRange{1, UINT64_MAX}, ByteRange{UINT64_MAX, 1}}) {
    EXPECT_THROW(CoalescedRead(file, std::span(&bad, 1), heap_pool()), FormatError);
  }
  EXPECT_EQ(file.reads, 0);
}

}  // namespace
}  // namespace sapwood::io
