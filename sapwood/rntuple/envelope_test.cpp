#include "sapwood/rntuple/envelope.h"

#include <gtest/gtest.h>

#include "sapwood/base/hash.h"
#include "sapwood/io/memory_file.h"
#include "sapwood/rntuple/anchor.h"

namespace sapwood::rntuple {
namespace {

class Writer {
 public:
  template <class T>
  Writer& little(T value) {
    for (size_t i = 0; i < sizeof(T); ++i) bytes_.push_back(static_cast<std::byte>(value >> (8 * i)));
    return *this;
  }
  template <class T>
  Writer& big(T value) {
    for (size_t i = sizeof(T); i-- > 0;) bytes_.push_back(static_cast<std::byte>(value >> (8 * i)));
    return *this;
  }
  std::vector<std::byte> bytes_;
};

LittleEndianCursor cursor(const Writer& writer) { return LittleEndianCursor(writer.bytes_); }

TEST(Locator, IsReadInBothForms) {
  Writer writer;
  writer.little(int32_t{77}).little(uint64_t{123456789012});
  LittleEndianCursor simple = cursor(writer);
  const Locator standard = read_locator(simple);
  EXPECT_EQ(standard.size, 77u);
  EXPECT_EQ(standard.offset, 123456789012u);

  Writer large;
  large.little(-(20 | 0x01 << 24)).little(uint64_t{5000000000}).little(uint64_t{9}).little(uint8_t{42});
  LittleEndianCursor in = cursor(large);
  const Locator locator = read_locator(in);
  EXPECT_EQ(locator.size, 5000000000u);
  EXPECT_EQ(locator.offset, 9u);
  EXPECT_EQ(in.remaining(), 1u);

  Writer unknown;
  unknown.little(-(20 | 0x02 << 24)).little(uint64_t{0}).little(uint64_t{0});
  LittleEndianCursor unknown_in = cursor(unknown);
  EXPECT_THROW(read_locator(unknown_in), UnsupportedError);
}

TEST(Frame, SkipsWhatIsUnknownAtItsEnd) {
  Writer writer;
  writer.little(int64_t{8 + 4 + 3})
      .little(uint32_t{5})
      .little(uint16_t{0})
      .little(uint8_t{0})
      .little(uint8_t{9});
  LittleEndianCursor in = cursor(writer);
  EXPECT_EQ(take_record_frame(in, "test").read<uint32_t>(), 5u);
  EXPECT_EQ(in.read<uint8_t>(), 9u);
}

TEST(Frame, RefusesMoreItemsThanFit) {
  Writer writer;
  writer.little(int64_t{-20}).little(uint32_t{0x80000000u}).little(uint64_t{0});
  LittleEndianCursor in = cursor(writer);
  EXPECT_THROW(take_list_frame(in, "test", 8), FormatError);
  in = cursor(writer);
  EXPECT_THROW(take_record_frame(in, "test"), FormatError);
  Writer fits;
  fits.little(int64_t{-20}).little(uint32_t{1}).little(uint64_t{0});
  in = cursor(fits);
  EXPECT_EQ(take_list_frame(in, "test", 8).num_items, 1u);
  in = cursor(fits);
  EXPECT_THROW(take_list_frame(in, "test", 9), FormatError);
}

Writer envelope(uint16_t type, uint64_t length, uint64_t payload) {
  Writer writer;
  writer.little(uint64_t{type} | length << 16).little(payload);
  writer.little(xxh3_64(writer.bytes_));
  return writer;
}

TEST(Envelope, ChecksTypeLengthAndChecksum) {
  EXPECT_EQ(open_envelope(envelope(1, 24, 42).bytes_, 24, EnvelopeType::kHeader).payload().read<uint64_t>(),
            42u);
  EXPECT_THROW(open_envelope(envelope(2, 24, 42).bytes_, 24, EnvelopeType::kHeader), FormatError);
  EXPECT_THROW(open_envelope(envelope(1, 25, 42).bytes_, 24, EnvelopeType::kHeader), FormatError);
  Writer flipped = envelope(1, 24, 42);
  flipped.bytes_[9] ^= std::byte{1};
  EXPECT_THROW(open_envelope(flipped.bytes_, 24, EnvelopeType::kHeader), FormatError);
  EXPECT_THROW(open_envelope(flipped.bytes_, uint64_t{1} << 40, EnvelopeType::kHeader), FormatError);
  EXPECT_THROW(open_envelope({}, 0, EnvelopeType::kHeader), FormatError);
}

TEST(Record, IsJoinedFromItsPieces) {
  // 30 bytes in keys of 20: the first piece keeps 12 and the offset of the second.
  std::vector<std::byte> bytes(60);
  for (size_t i = 0; i < 12; ++i) bytes[3 + i] = static_cast<std::byte>(i);
  bytes[3 + 12] = std::byte{40};
  for (size_t i = 12; i < 30; ++i) bytes[40 + i - 12] = static_cast<std::byte>(i);
  const io::MemoryFile file(bytes);
  const Buffer record = read_record(file, {3, 30}, 20, heap_pool());
  for (size_t i = 0; i < 30; ++i) EXPECT_EQ(record.data()[i], static_cast<std::byte>(i));
  EXPECT_THROW(read_record(file, {3, 300}, 20, heap_pool()), FormatError);
  EXPECT_THROW(read_record(file, {3, 30}, 1, heap_pool()), FormatError);
  EXPECT_THROW(read_record(file, {50, 11}, 0, heap_pool()), FormatError);
}

std::vector<std::byte> anchor(uint16_t epoch) {
  Writer fields;
  fields.big(epoch).big(uint16_t{0}).big(uint16_t{0}).big(uint16_t{0});
  for (uint64_t value = 1; value <= 7; ++value) fields.big(value);
  fields.big(uint32_t{99});  // a field of a later version
  Writer object;
  object.big(static_cast<uint32_t>(0x40000000u | (2 + fields.bytes_.size()))).big(uint16_t{2});
  object.bytes_.insert(object.bytes_.end(), fields.bytes_.begin(), fields.bytes_.end());
  object.big(xxh3_64(fields.bytes_));
  return object.bytes_;
}

TEST(Anchor, IsRead) {
  const Anchor read = parse_anchor(anchor(1));
  EXPECT_EQ(read.seek_header, 1u);
  EXPECT_EQ(read.len_footer, 6u);
  EXPECT_EQ(read.max_key_size, 7u);
  EXPECT_THROW(parse_anchor(anchor(0)), UnsupportedError);
  std::vector<std::byte> flipped = anchor(1);
  flipped[20] ^= std::byte{4};
  EXPECT_THROW(parse_anchor(flipped), FormatError);
}

}  // namespace
}  // namespace sapwood::rntuple
