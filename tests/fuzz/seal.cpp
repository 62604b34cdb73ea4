#include "tests/fuzz/seal.h"

#include <memory>
#include <unordered_map>

#include "sapwood/base/hash.h"
#include "sapwood/io/memory_file.h"
#include "sapwood/rntuple/page_list.h"
#include "sapwood/root/file.h"
#include "tests/fuzz/put.h"

namespace sapwood::fuzz {
namespace {

constexpr uint64_t kAnchorFields = 64;
constexpr uint64_t kChecksum = 8;

class Sealer {
 public:
  explicit Sealer(std::vector<std::byte>& bytes) : bytes_(bytes) {}

  void seal(const root::Key& key) {
    const uint64_t fields = key.seek + key.key_size + 6;
    if (!contains(fields, kAnchorFields + kChecksum)) return;
    put<std::endian::big>(bytes_, fields + kAnchorFields, hash(fields, kAnchorFields), kChecksum);

    BigEndianCursor anchor(Bytes(bytes_).subspan(fields + 8, kAnchorFields - 8));
    const Place header = read_place(anchor);
    const Place footer = read_place(anchor);
    const uint64_t checksum = seal_envelope(header);
    if (checksum == 0 || !contains(footer.offset, 24)) return;
    put<std::endian::little>(bytes_, footer.offset + 16, checksum, kChecksum);
    // The footer tells where the page lists are, and header and footer what is in them.
    seal_envelope(footer);
    try {
      const rntuple::Descriptor descriptor = rntuple::parse_descriptor(
          open(header, rntuple::EnvelopeType::kHeader), open(footer, rntuple::EnvelopeType::kFooter));
      for (const rntuple::ClusterGroup& group : descriptor.cluster_groups)
        seal_page_list(descriptor, group, checksum);
    } catch (const Error&) {
      // As good as it gets.
    }
  }

 private:
  struct Place {
    uint64_t offset = 0;
    uint64_t size = 0;
    uint64_t length = 0;
  };

  bool contains(uint64_t offset, uint64_t size) const {
    return size <= bytes_.size() && offset <= bytes_.size() - size;
  }
  uint64_t hash(uint64_t offset, uint64_t size) const { return xxh3_64(Bytes(bytes_).subspan(offset, size)); }

  static Place read_place(BigEndianCursor& anchor) {
    Place place;
    for (uint64_t* field : {&place.offset, &place.size, &place.length}) *field = anchor.read<uint64_t>();
    return place;
  }

  // The checksum; 0 where the envelope is compressed.
  uint64_t seal_envelope(const Place& place) {
    if (place.size != place.length || place.size < 24 || !contains(place.offset, place.size)) return 0;
    const uint64_t checksum = hash(place.offset, place.size - kChecksum);
    put<std::endian::little>(bytes_, place.offset + place.size - kChecksum, checksum, kChecksum);
    return checksum;
  }

  rntuple::Envelope open(const Place& place, rntuple::EnvelopeType type) const {
    if (!contains(place.offset, place.size)) throw FormatError("outside");
    return rntuple::open_envelope(Bytes(bytes_).subspan(place.offset, place.size), place.length, type);
  }

  void seal_page_list(const rntuple::Descriptor& descriptor, const rntuple::ClusterGroup& group,
                      uint64_t header) {
    const Place place{group.page_list.locator.offset, group.page_list.locator.size, group.page_list.length};
    if (place.size < 24 || !contains(place.offset, place.size)) return;
    if (place.size == place.length) put<std::endian::little>(bytes_, place.offset + 8, header, kChecksum);
    seal_envelope(place);
    for (const rntuple::Cluster& cluster :
         rntuple::parse_page_list(open(place, rntuple::EnvelopeType::kPageList), descriptor, group)) {
      for (const rntuple::Page& page : cluster.pages) {
        const auto& [offset, size] = page.locator;
        if (!page.has_checksum || !contains(offset, size) || !contains(offset + size, kChecksum)) continue;
        put<std::endian::little>(bytes_, offset + size, hash(offset, size), kChecksum);
      }
    }
  }

  std::vector<std::byte>& bytes_;
};

}  // namespace

void seal_checksums(std::vector<std::byte>& file) {
  try {
    const auto opened = root::File::open(std::make_unique<io::MemoryFile>(file));
    for (const root::Key& key : opened->keys()) {
      if (key.class_name == "ROOT::RNTuple") Sealer(file).seal(key);
    }
  } catch (const Error&) {
    // As good as it gets.
  }
}

}  // namespace sapwood::fuzz
