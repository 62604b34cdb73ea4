#include <algorithm>
#include <cstdint>
#include <vector>

#include "sapwood/base/hash.h"
#include "sapwood/io/memory_file.h"
#include "sapwood/rntuple/ntuple.h"

namespace {

using namespace sapwood;

// The entries read of each RNTuple: a few bytes can claim any number of zeros.
constexpr int64_t kMaxEntries = 1 << 16;
constexpr uint64_t kMaxColumnBytes = 64 << 20;

// Checksums keep corruption out of the parsers. These are made to fit again, so that it gets there: those of
// the anchor, the header, the footer and the page lists, where they are not compressed.
class Sealer {
 public:
  explicit Sealer(std::vector<std::byte>& bytes) : bytes_(bytes) {}

  void seal(const root::Key& key) {
    const uint64_t start = key.seek + key.key_size;
    const uint64_t fields = start + 6;
    if (!contains(fields, kAnchorFields + 8)) return;
    write<std::endian::big>(fields + kAnchorFields, hash(fields, kAnchorFields));

    BigEndianCursor anchor(Bytes(bytes_).subspan(fields + 8, kAnchorFields - 8));
    const uint64_t header = seal_envelope(anchor);
    const auto footer_offset = BigEndianCursor(anchor).read<uint64_t>();
    if (header == 0 || !contains(footer_offset, 24)) return;
    write<std::endian::little>(footer_offset + 16, header);
    seal_page_lists(footer_offset, header);
    seal_envelope(anchor);
  }

 private:
  static constexpr uint64_t kAnchorFields = 64;

  bool contains(uint64_t offset, uint64_t size) const {
    return size <= bytes_.size() && offset <= bytes_.size() - size;
  }
  uint64_t hash(uint64_t offset, uint64_t size) const { return xxh3_64(Bytes(bytes_).subspan(offset, size)); }

  template <std::endian Order>
  void write(uint64_t offset, uint64_t value) {
    for (size_t i = 0; i < 8; ++i) {
      const size_t shift = Order == std::endian::little ? 8 * i : 56 - 8 * i;
      bytes_[offset + i] = static_cast<std::byte>(value >> shift);
    }
  }

  // Reads seek, nbytes, len; the checksum, or 0.
  uint64_t seal_envelope(BigEndianCursor& anchor) {
    const auto offset = anchor.read<uint64_t>();
    const auto size = anchor.read<uint64_t>();
    const auto length = anchor.read<uint64_t>();
    return size == length ? seal_envelope(offset, size) : 0;
  }
  uint64_t seal_envelope(uint64_t offset, uint64_t size) {
    if (size < 16 || !contains(offset, size)) return 0;
    const uint64_t checksum = hash(offset, size - 8);
    write<std::endian::little>(offset + size - 8, checksum);
    return checksum;
  }

  void seal_page_lists(uint64_t footer_offset, uint64_t header) {
    LittleEndianCursor footer(Bytes(bytes_).subspan(footer_offset + 24));
    rntuple::take_record_frame(footer, "extension");
    rntuple::ListFrame groups = rntuple::take_list_frame(footer, "groups", 40);
    for (uint32_t i = 0; i < groups.num_items; ++i) {
      LittleEndianCursor group = rntuple::take_record_frame(groups.payload, "group");
      group.skip(20);
      const rntuple::EnvelopeLink link = rntuple::read_envelope_link(group);
      if (link.length != link.locator.size || !contains(link.locator.offset, link.length)) continue;
      if (link.length < 24) continue;
      write<std::endian::little>(link.locator.offset + 8, header);
      seal_envelope(link.locator.offset, link.length);
    }
  }

  std::vector<std::byte>& bytes_;
};

void seal(std::vector<std::byte>& bytes) {
  try {
    const auto file = root::File::open(std::make_unique<io::MemoryFile>(bytes));
    for (const root::Key& key : file->keys()) {
      if (key.class_name == "ROOT::RNTuple") Sealer(bytes).seal(key);
    }
  } catch (const Error&) {
    // As good as it gets.
  }
}

void read(const rntuple::Ntuple& ntuple) {
  const EntryRange entries{0, std::min(ntuple.num_entries(), kMaxEntries)};
  for (size_t column = 0; column < ntuple.schema().size(); ++column) {
    const ColumnInfo& info = ntuple.schema()[column];
    if (!info.unsupported.empty() || info.uncompressed_bytes > kMaxColumnBytes) continue;
    if (fixed_entry_size(info.type) > kMaxColumnBytes / kMaxEntries) continue;
    try {
      ntuple.blocks(column);
      for (const EntryRange range : {entries, EntryRange{entries.stop / 3, entries.stop * 2 / 3}}) {
        const auto fetched = ntuple.fetch({&column, 1}, range, heap_pool());
        ntuple.decode(*fetched, 0, heap_pool());
      }
    } catch (const Error&) {
      // What corrupt data is meant to give.
    }
  }
}

void read_all(std::vector<std::byte> bytes) {
  try {
    const auto file = root::File::open(std::make_unique<io::MemoryFile>(std::move(bytes)));
    for (const root::Key& key : file->keys()) {
      if (key.class_name == "ROOT::RNTuple") read(*rntuple::Ntuple::open(file, key));
    }
  } catch (const Error&) {
  }
}

}  // namespace

/// Input: a ROOT file. It is read as it is, and with its checksums made to fit.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes input = std::as_bytes(std::span(data, size));
  std::vector<std::byte> bytes(input.begin(), input.end());
  read_all(bytes);
  seal(bytes);
  read_all(std::move(bytes));
  return 0;
}
