#include "sapwood/root/object_stream.h"

#include <gtest/gtest.h>

namespace sapwood::root {
namespace {

Bytes bytes_of(const std::vector<uint8_t>& data) { return std::as_bytes(std::span(data)); }

TEST(ObjectStream, ReadsVersionsWithAndWithoutByteCounts) {
  const std::vector<uint8_t> data{0x40, 0, 0, 3, 0, 7, 9, 0, 5};
  ObjectStream stream(bytes_of(data), 0, "test");
  const VersionHeader with = stream.read_version();
  EXPECT_EQ(with.version, 7);
  EXPECT_EQ(with.end, 7u);
  stream.finish(with.end, "A");
  const VersionHeader without = stream.read_version();
  EXPECT_EQ(without.version, 5);
  EXPECT_FALSE(without.end);
}

TEST(ObjectStream, MarksMemberwiseCollections) {
  const std::vector<uint8_t> data{0x40, 0, 0, 2, 0x40, 9};
  ObjectStream stream(bytes_of(data), 0, "test");
  const VersionHeader header = stream.read_version();
  EXPECT_TRUE(header.memberwise);
  EXPECT_EQ(header.version, 9);
}

// A new class "A", an object of the same class, a reference to the first object, and null.
TEST(ObjectStream, FollowsClassAndObjectTags) {
  const std::vector<uint8_t> data{0x40, 0, 0, 6,   0xFF, 0xFF, 0xFF, 0xFF,        'A', 0,  //
                                  0x40, 0, 0, 4,   0x80, 0,    0,    100 + 4 + 2,          //
                                  0,    0, 0, 102,                                         //
                                  0,    0, 0, 0};
  ObjectStream stream(bytes_of(data), 100, "test");
  const PointerHeader first = stream.read_pointer();
  EXPECT_EQ(first.kind, PointerHeader::Kind::kObject);
  EXPECT_EQ(first.class_name, "A");
  EXPECT_EQ(first.tag, 102u);
  const PointerHeader second = stream.read_pointer();
  EXPECT_EQ(second.class_name, "A");
  EXPECT_EQ(second.tag, 112u);
  const PointerHeader third = stream.read_pointer();
  EXPECT_EQ(third.kind, PointerHeader::Kind::kReference);
  EXPECT_EQ(third.tag, first.tag);
  EXPECT_EQ(stream.read_pointer().kind, PointerHeader::Kind::kNull);
}

TEST(ObjectStream, RefusesByteCountsPastTheEnd) {
  const std::vector<uint8_t> data{0x40, 0, 1, 0, 0, 7};
  ObjectStream stream(bytes_of(data), 0, "test");
  EXPECT_THROW(stream.read_version(), FormatError);
}

TEST(ObjectStream, RefusesObjectsLongerThanTheirByteCount) {
  const std::vector<uint8_t> data{0x40, 0, 0, 2, 0, 7, 1, 2};
  ObjectStream stream(bytes_of(data), 0, "test");
  const VersionHeader header = stream.read_version();
  stream.in().skip(1);
  EXPECT_THROW(stream.finish(header.end, "A"), FormatError);
}

}  // namespace
}  // namespace sapwood::root
