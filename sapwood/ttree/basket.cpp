#include "sapwood/ttree/basket.h"

#include <algorithm>
#include <utility>

#include "sapwood/codec/decompress.h"
#include "sapwood/root/key_header.h"

namespace sapwood::ttree {
namespace {

/// In the flag of an embedded basket, added when entry offsets are to be made from the counts.
constexpr int kGenerateOffsets = 80;

// Entry offsets: int32 count, int32[count]; the count is one more than the entries when the end is stored
// too.
Bytes read_offsets(BigEndianCursor& in, int64_t num_entries) {
  const auto count = in.read<uint32_t>();
  in.require(count, 4);
  if (count < static_cast<uint64_t>(num_entries)) {
    in.fail(concat(num_entries, " entry offsets instead of ", count));
  }
  return in.take(size_t{count} * 4).first(static_cast<size_t>(num_entries) * 4);
}

// The first is 0, each of the others the size of the entry before it.
Bytes offsets_of_sizes(const Basket& basket, Scratch& scratch) {
  const std::span<std::byte> offsets = scratch.offsets(basket.offsets.size());
  uint32_t offset = basket.offset_base;
  for (size_t i = 0; i < offsets.size(); i += sizeof offset) {
    uint32_t size;
    std::memcpy(&size, basket.offsets.data() + i, sizeof size);
    offset += __builtin_bswap32(size);
    const uint32_t stored = __builtin_bswap32(offset);
    std::memcpy(offsets.data() + i, &stored, sizeof stored);
  }
  return offsets;
}

}  // namespace

// A key header (root/key_header.h), then, big-endian:
//   uint16 version, int32 fBufferSize, int32 fNevBufSize (negative: uint8 fIOBits follows, of which the
//   lowest is known and says that there are sizes of entries, or nothing, for offsets), int32 fNevBuf,
//   int32 fLast (end of the entries, from the record's start), uint8 flag
BasketHeader read_basket_header(Bytes record) {
  BigEndianCursor in(record, "basket");
  const root::KeyHeader key = root::read_key_header(in);
  in.skip(6);
  BasketHeader header;
  header.stores_sizes = in.read<int32_t>() < 0;
  if (header.stores_sizes) {
    if (const auto features = in.read<uint8_t>(); features != 1)
      throw UnsupportedError(concat("a basket with features ", features));
  }
  header.num_entries = in.read<int32_t>();
  const auto last = in.read<int32_t>();
  header.flag = in.read<uint8_t>();
  header.header_end = in.position();
  header.record_size = static_cast<uint32_t>(key.record_size);
  header.key_size = static_cast<uint32_t>(key.key_size);
  header.object_size = static_cast<uint32_t>(key.object_size);
  if (header.num_entries < 0 || last < key.key_size) {
    throw FormatError(concat("corrupt basket: ", header.num_entries, " entries that end at byte ", last,
                             " after a header of ", key.key_size));
  }
  header.data_size = static_cast<uint32_t>(last - key.key_size);
  return header;
}

// Names may be long, but are not, so that the header is all in the first bytes.
BasketHeader read_basket_header(const io::StoredBytes& record, ScratchBuffer& scratch) {
  constexpr size_t kMostNames = 512;
  const Bytes first = record.first(std::min(record.size(), kMostNames), scratch);
  BigEndianCursor in(first, "basket");
  in.skip(root::kKeySizePlace);
  const auto size = in.read<uint16_t>();
  return read_basket_header(size <= first.size() ? first : record.get(scratch));
}

std::span<std::byte> Scratch::object(size_t size) {
  if (!lent_.empty() && lent_.size() == size) return std::exchange(lent_, {});
  return object_.get(size);
}

// The object of a basket's record: the entries, then their offsets if any are stored.
Basket unpack_basket(Bytes record, Scratch& scratch) {
  const BasketHeader header = read_basket_header(record);
  if (header.record_size != record.size() || header.key_size > record.size() ||
      header.data_size > header.object_size) {
    throw FormatError(concat("corrupt basket: a record of ", header.record_size,
                             " bytes where the branch has ", record.size(), ", entries of ", header.data_size,
                             " bytes in an object of ", header.object_size));
  }
  const Bytes stored = record.subspan(header.key_size);
  Bytes object = stored;
  if (stored.size() != header.object_size) {
    root::check_object_size(stored, header.object_size);
    const std::span<std::byte> out = scratch.object(header.object_size);
    codec::decompress(stored, out);
    object = out;
  }
  Basket basket{.data = object.first(header.data_size),
                .offsets = {},
                .offset_base = header.key_size,
                .num_entries = header.num_entries};
  if (header.data_size != header.object_size) {
    BigEndianCursor in(object.subspan(header.data_size), "entry offsets");
    basket.offsets = read_offsets(in, header.num_entries);
    if (header.stores_sizes) basket.offsets = offsets_of_sizes(basket, scratch);
  }
  return basket;
}

// An embedded basket is a basket's header, and by its flag (80 subtracted if it is that large):
//   flag not 0 and not 2 modulo 10: entry offsets; above 40: displacements too
//   flag 1 or above 10: the record's bytes up to fLast: its key header again and the entries
Basket unpack_embedded_basket(Bytes record) {
  const BasketHeader header = read_basket_header(record);
  BigEndianCursor in(record, "embedded basket");
  in.seek(header.header_end);
  Basket basket{.data = {}, .offsets = {}, .offset_base = header.key_size, .num_entries = header.num_entries};
  const bool generates = header.flag >= kGenerateOffsets;
  const int flag = generates ? header.flag - kGenerateOffsets : header.flag;
  if (!generates && flag != 0 && flag % 10 != 2) {
    if (header.num_entries != 0) basket.offsets = read_offsets(in, header.num_entries);
    if (flag > 40) in.skip(size_t{in.read<uint32_t>()} * 4);
  }
  if (flag == 1 || flag > 10) {
    in.skip(header.key_size);
    basket.data = in.take(header.data_size);
  }
  return basket;
}

}  // namespace sapwood::ttree
