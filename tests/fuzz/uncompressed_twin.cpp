#include "tests/fuzz/uncompressed_twin.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "sapwood/base/hash.h"
#include "sapwood/codec/decompress.h"
#include "sapwood/rntuple/anchor.h"
#include "sapwood/rntuple/page_list.h"
#include "sapwood/root/key_header.h"
#include "sapwood/root/object.h"
#include "sapwood/ttree/tree.h"
#include "tests/fuzz/put.h"

namespace sapwood::fuzz {
namespace {

constexpr uint64_t kBegin = 100;
constexpr size_t kSeekPlace = 18;
constexpr size_t kChecksum = 8;

using Content = std::vector<std::byte>;

template <std::endian Order>
void append(Content& to, uint64_t value, size_t size) {
  to.resize(to.size() + size);
  put<Order>(to, to.size() - size, value, size);
}
void append(Content& to, std::string_view text) {
  append<std::endian::big>(to, text.size(), 1);
  for (const char c : text) to.push_back(static_cast<std::byte>(c));
}
void append(Content& to, Bytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

std::optional<size_t> find(const Content& in, const Content& pattern) {
  const void* found = memmem(in.data(), in.size(), pattern.data(), pattern.size());
  if (pattern.empty() || found == nullptr) return std::nullopt;
  return static_cast<size_t>(static_cast<const std::byte*>(found) - in.data());
}

class TwinWriter {
 public:
  explicit TwinWriter(const std::shared_ptr<const root::File>& file) : file_(file) {}

  Twin write() {
    twin_.bytes.resize(kBegin);
    // The top directory's record: its key, its name and title, and the directory, which is written last.
    const size_t key_size = 26 + 6 + 6 + 1;
    append_key(kBegin, key_size, "TFile");
    append(twin_.bytes, std::string_view("twin"));
    append(twin_.bytes, std::string_view());
    const size_t directory = twin_.bytes.size();
    twin_.bytes.resize(directory + 30 + 18);
    put<std::endian::big>(twin_.bytes, kBegin, twin_.bytes.size() - kBegin, 4);

    const Buffer infos = file_->streamer_info_record(heap_pool());
    std::pair<uint64_t, uint64_t> info{0, 0};
    if (!infos.empty()) info = add_record({infos.data(), infos.size()}, std::nullopt, "streamer infos");
    infos_ = root::StreamerInfos::read(*file_);
    for (const root::Key& key : file_->keys()) {
      if (file_->find(key.path) != &key) continue;  // an older cycle
      if (ttree::is_tree_class(key.class_name)) add_tree(key);
      if (key.class_name == "ROOT::RNTuple") add_ntuple(key);
    }
    const uint64_t keys = twin_.bytes.size();
    append_key(keys, key_size, "TFile");
    append<std::endian::big>(twin_.bytes, listed_.size(), 4);
    for (const Content& header : listed_) append(twin_.bytes, Bytes(header));
    put<std::endian::big>(twin_.bytes, keys, twin_.bytes.size() - keys, 4);

    put<std::endian::big>(twin_.bytes, directory, 5, 2);
    put<std::endian::big>(twin_.bytes, directory + 10, twin_.bytes.size() - keys, 4);
    put<std::endian::big>(twin_.bytes, directory + 14, directory - kBegin, 4);
    put<std::endian::big>(twin_.bytes, directory + 18, kBegin, 4);
    put<std::endian::big>(twin_.bytes, directory + 26, keys, 4);
    write_file_header(directory - kBegin, info);
    return std::move(twin_);
  }

 private:
  void append_key(uint64_t seek, size_t key_size, std::string_view class_name) {
    const size_t start = twin_.bytes.size();
    twin_.bytes.resize(start + 26);
    put<std::endian::big>(twin_.bytes, start + 4, 4, 2);
    put<std::endian::big>(twin_.bytes, start + root::kKeySizePlace, key_size, 2);
    put<std::endian::big>(twin_.bytes, start + 16, 1, 2);
    put<std::endian::big>(twin_.bytes, start + kSeekPlace, seek, 4);
    put<std::endian::big>(twin_.bytes, start + kSeekPlace + 4, kBegin, 4);
    append(twin_.bytes, class_name);
    append(twin_.bytes, std::string_view("twin.root").substr(0, key_size - 26 - class_name.size() - 3));
    append(twin_.bytes, std::string_view());
  }

  void write_file_header(uint64_t name_bytes, std::pair<uint64_t, uint64_t> info) {
    constexpr std::string_view kMagic = "root";
    std::ranges::transform(kMagic, twin_.bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
    size_t at = kMagic.size();
    const auto add = [&](uint64_t value, size_t size) {
      put<std::endian::big>(twin_.bytes, at, value, size);
      at += size;
    };
    for (const uint64_t value : {uint64_t{63400}, kBegin, uint64_t{twin_.bytes.size()}, uint64_t{0}})
      add(value, 4);
    add(0, 8);
    add(name_bytes, 4);
    add(4, 1);
    add(0, 4);
    add(info.first, 4);
    add(info.second, 4);
  }

  // The record with its object as it is, or another in its place. Returns where it is and its size.
  std::pair<uint64_t, uint64_t> add_record(Bytes record, const std::optional<Content>& object,
                                           const char* what) {
    const root::StoredObject stored = root::unpack_record(record, heap_pool());
    const Bytes plain = object ? Bytes(*object) : Bytes(stored.bytes.data(), stored.bytes.size());
    Content header(record.begin(), record.begin() + stored.key_size);
    const uint64_t seek = twin_.bytes.size();
    const bool is_big = BigEndianCursor(record.subspan(4)).read<int16_t>() > 1000;
    put<std::endian::big>(header, 0, header.size() + plain.size(), 4);
    put<std::endian::big>(header, kSeekPlace, seek, is_big ? 8 : 4);
    put<std::endian::big>(header, kSeekPlace + (is_big ? 8 : 4), kBegin, is_big ? 8 : 4);
    append(twin_.bytes, Bytes(header));
    twin_.regions.push_back({what, twin_.bytes.size(), plain.size(), seek});
    append(twin_.bytes, plain);
    last_header_ = std::move(header);
    return {seek, last_header_.size() + plain.size()};
  }

  Content bytes_at(uint64_t offset, uint64_t size) const {
    if (offset > file_->bytes().size() || size > file_->bytes().size() - offset) throw FormatError("outside");
    Content bytes(size);
    file_->bytes().read_at(offset, bytes);
    return bytes;
  }

  void add_tree(const root::Key& key) {
    const auto tree = root::ObjectTree::read(*file_, key, infos_);
    const Buffer object = file_->read_object(key, heap_pool());
    Content patched(object.data(), object.data() + object.size());
    add_baskets(tree->root().object("fBranches"), patched);
    add_record(bytes_at(key.seek, key.record_size), patched, "tree");
    listed_.push_back(last_header_);
  }

  // In the tree's record stand, of each branch, a byte and the sizes of its baskets, a byte and their first
  // entries, a byte and their places.
  void add_baskets(const root::Object& branches, Content& tree) {
    for (const root::Object* branch : branches.items) {
      if (branch == nullptr) continue;
      add_baskets(branch->object("fBranches"), tree);
      const auto seeks = branch->integers("fBasketSeek");
      const auto sizes = branch->integers("fBasketBytes");
      if (std::ranges::all_of(seeks, [](int64_t seek) { return seek == 0; })) continue;
      Content pattern;
      for (const int64_t seek : seeks) append<std::endian::big>(pattern, static_cast<uint64_t>(seek), 8);
      const auto place = find(tree, pattern);
      const size_t before = 2 + seeks.size() * 8 + sizes.size() * 4;
      if (!place || *place < before) throw UnsupportedError("a tree without 64-bit places");
      for (size_t i = 0; i < seeks.size(); ++i) {
        if (seeks[i] == 0 || i >= sizes.size()) continue;
        const Content head = bytes_at(static_cast<uint64_t>(seeks[i]), 4);
        const auto stored = BigEndianCursor(head).read<uint32_t>();
        const auto [seek, size] =
            add_record(bytes_at(static_cast<uint64_t>(seeks[i]), stored), std::nullopt, "basket");
        put<std::endian::big>(tree, *place + 8 * i, seek, 8);
        put<std::endian::big>(tree, *place - before + 4 * i, size, 4);
      }
    }
  }

  void add_ntuple(const root::Key& key) {
    const Buffer object = file_->read_object(key, heap_pool());
    const rntuple::Anchor anchor = rntuple::parse_anchor({object.data(), object.size()});
    const auto read = [&](uint64_t offset, uint64_t size, uint64_t length, rntuple::EnvelopeType type) {
      const Content record = bytes_at(offset, size);
      return rntuple::open_envelope(record, length, type);
    };
    const rntuple::Envelope header =
        read(anchor.seek_header, anchor.nbytes_header, anchor.len_header, rntuple::EnvelopeType::kHeader);
    const rntuple::Envelope footer =
        read(anchor.seek_footer, anchor.nbytes_footer, anchor.len_footer, rntuple::EnvelopeType::kFooter);
    const rntuple::Descriptor descriptor = rntuple::parse_descriptor(header, footer);
    const uint64_t header_seek = add_envelope(content(header));
    Content new_footer = content(footer);
    std::map<uint64_t, uint64_t> moved;  // pages that several ranges share
    for (const rntuple::ClusterGroup& group : descriptor.cluster_groups) {
      const rntuple::Locator& at = group.page_list.locator;
      const rntuple::Envelope list =
          read(at.offset, at.size, group.page_list.length, rntuple::EnvelopeType::kPageList);
      Content new_list = content(list);
      for (const rntuple::Cluster& cluster : rntuple::parse_page_list(list, descriptor, group))
        add_pages(descriptor, cluster, anchor.max_key_size, new_list, moved);
      const uint64_t size = new_list.size();
      move(new_footer, at, {add_envelope(std::move(new_list)), size});
    }
    const uint64_t footer_seek = add_envelope(std::move(new_footer));
    Content new_anchor(object.data(), object.data() + object.size());
    constexpr size_t kFields = 6;
    const uint64_t values[] = {header_seek, anchor.len_header, anchor.len_header,
                               footer_seek, anchor.len_footer, anchor.len_footer};
    for (size_t i = 0; i < std::size(values); ++i)
      put<std::endian::big>(new_anchor, kFields + 8 + 8 * i, values[i], 8);
    const uint64_t checksum =
        xxh3_64(Bytes(new_anchor).subspan(kFields, new_anchor.size() - kFields - kChecksum));
    put<std::endian::big>(new_anchor, new_anchor.size() - kChecksum, checksum, kChecksum);
    add_record(bytes_at(key.seek, key.record_size), new_anchor, "anchor");
    listed_.push_back(last_header_);
  }

  static Content content(const rntuple::Envelope& envelope) {
    return {envelope.bytes.data(), envelope.bytes.data() + envelope.bytes.size()};
  }

  uint64_t add_envelope(Content envelope) {
    const uint64_t checksum = xxh3_64(Bytes(envelope).first(envelope.size() - kChecksum));
    put<std::endian::little>(envelope, envelope.size() - kChecksum, checksum, kChecksum);
    const uint64_t seek = twin_.bytes.size();
    twin_.regions.push_back({"envelope", seek, envelope.size() - kChecksum, seek});
    append(twin_.bytes, Bytes(envelope));
    return seek;
  }

  void add_pages(const rntuple::Descriptor& descriptor, const rntuple::Cluster& cluster,
                 uint64_t max_key_size, Content& list, std::map<uint64_t, uint64_t>& moved) {
    for (size_t column = 0; column < cluster.columns.size(); ++column) {
      const rntuple::ColumnRange& range = cluster.columns[column];
      if (!range.is_stored()) continue;
      for (const rntuple::Page& page : cluster.pages_of(range)) {
        if (page.locator.size > max_key_size) throw UnsupportedError("pages in several records");
        const uint64_t length = rntuple::page_length(descriptor.columns[column], page.num_elements);
        const auto [known, is_new] = moved.emplace(page.locator.offset, twin_.bytes.size());
        if (is_new) {
          Content plain(length);
          codec::decompress(bytes_at(page.locator.offset, page.locator.size), plain);
          twin_.regions.push_back({"page", twin_.bytes.size(), length, twin_.bytes.size()});
          append(twin_.bytes, Bytes(plain));
          append<std::endian::little>(twin_.bytes, xxh3_64(plain), kChecksum);
        }
        move(list, page.locator, {known->second, length});
      }
    }
  }

  // Puts a locator in the place of another.
  static void move(Content& envelope, const rntuple::Locator& from, const rntuple::Locator& to) {
    Content pattern;
    append<std::endian::little>(pattern, from.size, 4);
    append<std::endian::little>(pattern, from.offset, 8);
    while (const auto place = find(envelope, pattern)) {
      put<std::endian::little>(envelope, *place, to.size, 4);
      put<std::endian::little>(envelope, *place + 4, to.offset, 8);
      if (from.size == to.size && from.offset == to.offset) return;
    }
  }

  std::shared_ptr<const root::File> file_;
  std::shared_ptr<const root::StreamerInfos> infos_;
  Twin twin_;
  std::vector<Content> listed_;  // headers of the keys
  Content last_header_;
};

}  // namespace

Twin uncompressed_twin(const std::shared_ptr<const root::File>& file) { return TwinWriter(file).write(); }

}  // namespace sapwood::fuzz
