#include "sapwood/rntuple/envelope.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "sapwood/base/hash.h"
#include "sapwood/base/names.h"
#include "sapwood/codec/decompress.h"

namespace sapwood::rntuple {
namespace {

constexpr size_t kPreambleSize = 8;
constexpr size_t kChecksumSize = 8;
constexpr uint32_t kLargeLocator = 0x01;

const char* envelope_name(EnvelopeType type) {
  switch (type) {
    case EnvelopeType::kHeader:
      return "RNTuple header";
    case EnvelopeType::kFooter:
      return "RNTuple footer";
    case EnvelopeType::kPageList:
      return "RNTuple page list";
  }
  return "RNTuple envelope";
}

}  // namespace

LittleEndianCursor Envelope::payload() const {
  const Bytes all(bytes.data(), bytes.size());
  return LittleEndianCursor(all.subspan(kPreambleSize, all.size() - kPreambleSize - kChecksumSize),
                            "RNTuple envelope");
}

// i32 size, u64 offset. A negative size starts a locator of another kind; its absolute value holds
//   bits 0-15: size of the whole locator, 16-23: reserved, 24-30: type
// and the payload follows; that of type 1 (large) is u64 size, u64 offset.
Locator read_locator(LittleEndianCursor& in) {
  const int32_t head = in.read<int32_t>();
  if (head >= 0) {
    const uint64_t offset = in.read<uint64_t>();
    return {offset, static_cast<uint64_t>(head)};
  }
  const uint32_t magnitude = 0u - static_cast<uint32_t>(head);
  const uint32_t type = (magnitude >> 24) & 0x7f;
  const uint32_t locator_size = magnitude & 0xffff;
  if (type != kLargeLocator)
    throw UnsupportedError(concat("RNTuple locators of type ", type, " are not read"));
  if (locator_size < sizeof(int32_t)) in.fail("a locator");
  LittleEndianCursor payload(in.take(locator_size - sizeof(int32_t)), "RNTuple locator");
  Locator locator;
  locator.size = payload.read<uint64_t>();
  locator.offset = payload.read<uint64_t>();
  return locator;
}

// u64 uncompressed size, locator.
EnvelopeLink read_envelope_link(LittleEndianCursor& in) {
  EnvelopeLink link;
  link.length = in.read<uint64_t>();
  link.locator = read_locator(in);
  return link;
}

// u32 bytes, then the characters.
std::string read_string(LittleEndianCursor& in) {
  const uint32_t size = in.read<uint32_t>();
  return utf8_name(in.read_text(size));
}

// i64 size of the whole frame, then the payload.
LittleEndianCursor take_record_frame(LittleEndianCursor& in, const char* what) {
  const int64_t size = in.read<int64_t>();
  if (size < static_cast<int64_t>(sizeof(int64_t))) in.fail(concat("a record frame (", what, ")"));
  return LittleEndianCursor(in.take(static_cast<size_t>(size) - sizeof(int64_t)), what);
}

// i64 minus the size of the whole frame, u32 number of items, then the items.
ListFrame take_list_frame(LittleEndianCursor& in, const char* what, size_t min_item_size) {
  const int64_t negative_size = in.read<int64_t>();
  const uint64_t size = 0u - static_cast<uint64_t>(negative_size);
  if (negative_size >= 0 || size < sizeof(int64_t)) in.fail(concat("a list frame (", what, ")"));
  ListFrame frame{LittleEndianCursor(in.take(size - sizeof(int64_t)), what)};
  frame.num_items = frame.payload.read<uint32_t>();
  frame.payload.require(frame.num_items, min_item_size);
  return frame;
}

void require_in_file(const io::RandomAccessFile& file, const Locator& locator, const char* what) {
  if (locator.size > file.size() || locator.offset > file.size() - locator.size) {
    throw FormatError(concat("corrupt or truncated file: ", what, " of ", locator.size, " bytes at byte ",
                             locator.offset, " of ", file.size()));
  }
}

void require_plausible_size(uint64_t size, uint64_t uncompressed_size, const char* what) {
  if (uncompressed_size / codec::kLargestRatio > size) {
    throw FormatError(concat("corrupt ", what, ": ", size, " bytes can't hold ", uncompressed_size));
  }
}

// A record larger than the largest key is split into pieces of that size (the last may be smaller), each in a
// key of its own. The first ends in a table of the others' file offsets, u64 each.
Buffer read_record(const io::RandomAccessFile& file, const Locator& locator, uint64_t max_key_size,
                   const std::shared_ptr<MemoryPool>& pool) {
  if (max_key_size == 0 || locator.size <= max_key_size) {
    require_in_file(file, locator, "a record");
    Buffer record(locator.size, pool);
    file.read_at(locator.offset, {record.data(), record.size()});
    return record;
  }
  if (locator.size > file.size()) require_in_file(file, locator, "a record");
  uint64_t num_pieces = (locator.size - 1) / max_key_size + 1;
  const uint64_t spare = num_pieces * max_key_size - locator.size;
  if (spare < (num_pieces - 1) * sizeof(uint64_t)) ++num_pieces;
  if (num_pieces - 1 > max_key_size / sizeof(uint64_t)) {
    throw FormatError(concat("corrupt RNTuple anchor: no record of ", locator.size,
                             " bytes can be kept in keys of ", max_key_size));
  }
  const uint64_t table_size = (num_pieces - 1) * sizeof(uint64_t);

  const Locator first{locator.offset, max_key_size};
  require_in_file(file, first, "the first piece of a record");
  Buffer first_piece(max_key_size, pool);
  file.read_at(first.offset, {first_piece.data(), first_piece.size()});
  const Bytes first_bytes(first_piece.data(), first_piece.size());
  LittleEndianCursor offsets(first_bytes.last(table_size), "offsets of the pieces of a record");

  Buffer record(locator.size, pool);
  uint64_t filled = max_key_size - table_size;
  std::copy_n(first_piece.data(), filled, record.data());
  while (filled < locator.size) {
    const Locator piece{offsets.read<uint64_t>(), std::min(max_key_size, locator.size - filled)};
    require_in_file(file, piece, "a piece of a record");
    file.read_at(piece.offset, {record.data() + filled, piece.size});
    filled += piece.size;
  }
  return record;
}

// u64: type in bits 0-15, length of the whole envelope above; payload; u64 XXH3 of all before it.
Envelope open_envelope(Bytes record, uint64_t length, EnvelopeType type) {
  const char* name = envelope_name(type);
  require_plausible_size(record.size(), length, name);
  if (!codec::is_plausible_size(record.size(), length)) codec::require_size(record, length);
  if (length < kPreambleSize + kChecksumSize) {
    throw FormatError(concat("corrupt ", name, ": only ", length, " bytes"));
  }
  Envelope envelope;
  envelope.bytes = Buffer(length, heap_pool());
  codec::decompress(record, {envelope.bytes.data(), length});

  const Bytes bytes(envelope.bytes.data(), length);
  LittleEndianCursor in(bytes, name);
  const uint64_t preamble = in.read<uint64_t>();
  in.seek(length - kChecksumSize);
  envelope.checksum = in.read<uint64_t>();
  if (envelope.checksum != xxh3_64(bytes.first(length - kChecksumSize))) {
    throw FormatError(concat("corrupt ", name, ": its checksum does not match"));
  }
  if ((preamble & 0xffff) != static_cast<uint16_t>(type) || preamble >> 16 != length) {
    throw FormatError(concat("corrupt ", name, ": it claims to be of type ", preamble & 0xffff, " and ",
                             preamble >> 16, " bytes long"));
  }
  return envelope;
}

}  // namespace sapwood::rntuple
