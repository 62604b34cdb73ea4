#include <gtest/gtest.h>

#include <cstring>

#include "sapwood/base/error.h"
#include "sapwood/io/random_access_file.h"

namespace sapwood::io {
namespace {

// A file in memory that counts its reads.
class MemoryFile final : public RandomAccessFile {
 public:
  explicit MemoryFile(std::string content) : content_(std::move(content)) {}
  const std::string& uri() const override { return uri_; }
  uint64_t size() const override { return content_.size(); }
  void read_at(uint64_t offset, std::span<std::byte> out) const override {
    ++reads;
    std::memcpy(out.data(), content_.data() + offset, out.size());
  }
  mutable int reads = 0;

 private:
  std::string uri_ = "memory";
  std::string content_;
};

std::string text_of(Bytes bytes) { return BigEndianCursor(bytes).read_text(bytes.size()); }

TEST(CoalescedRead, JoinsNeighboursInAnyOrder) {
  const MemoryFile file("abcdefghijklmnopqrstuvwxyz");
  const std::vector<ByteRange> ranges{{20, 3}, {0, 2}, {4, 2}, {5, 3}, {1, 0}};
  const CoalescedRead read(file, ranges, heap_pool(), 4);
  EXPECT_EQ(read.requests(), 2u);
  EXPECT_EQ(file.reads, 2);
  EXPECT_EQ(text_of(read[0]), "uvw");
  EXPECT_EQ(text_of(read[1]), "ab");
  EXPECT_EQ(text_of(read[2]), "ef");
  EXPECT_EQ(text_of(read[3]), "fgh");
  EXPECT_TRUE(read[4].empty());
}

TEST(CoalescedRead, KeepsWhatLiesInsideAnotherRange) {
  const MemoryFile file("abcdefgh");
  const std::vector<ByteRange> ranges{{0, 8}, {2, 2}, {6, 2}};
  const CoalescedRead read(file, ranges, heap_pool(), 0);
  EXPECT_EQ(read.requests(), 1u);
  EXPECT_EQ(text_of(read[1]), "cd");
  EXPECT_EQ(text_of(read[2]), "gh");
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
