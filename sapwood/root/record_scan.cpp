#include "sapwood/root/record_scan.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "sapwood/codec/decompress.h"
#include "sapwood/root/key_header.h"

namespace sapwood::root {
namespace {

/// Reads small pieces of a file in ascending order.
class Window {
 public:
  explicit Window(const io::RandomAccessFile& bytes) : bytes_(bytes) {}

  /// So many bytes, or as many as there are.
  Bytes at(uint64_t offset, uint64_t most) {
    if (offset >= bytes_.size()) return {};
    const uint64_t size = std::min(most, bytes_.size() - offset);
    if (offset < start_ || offset + size > start_ + buffer_.size()) {
      start_ = offset;
      buffer_.resize(std::min(std::max(size, kBytes), bytes_.size() - offset));
      bytes_.read_at(offset, buffer_);
    }
    return Bytes(buffer_).subspan(offset - start_, size);
  }

 private:
  static constexpr uint64_t kBytes = uint64_t{16} << 10;
  const io::RandomAccessFile& bytes_;
  uint64_t start_ = 0;
  std::vector<std::byte> buffer_;
};

/// A record or, where one was deleted, the gap in its place.
struct Record {
  uint64_t size = 0;  ///< to the next one; of a gap more than the record that was there, where gaps met
  bool is_gap = false;
  std::optional<KeyHeader> header{};  ///< none: written over
};

// A gap keeps the header of what was there, but for the size, which is negative.
std::optional<Record> read_record_at(Window& window, uint64_t offset) {
  constexpr uint64_t kMostHeader = 34 + 3 * 256;  // longer names are seldom
  constexpr int32_t kSmallestGap = 4;
  const Bytes bytes = window.at(offset, kMostHeader);
  if (bytes.size() < sizeof(int32_t)) return std::nullopt;
  const auto size = BigEndianCursor(bytes).read<int32_t>();
  Record record{.size = static_cast<uint64_t>(std::abs(int64_t{size})), .is_gap = size < 0};
  if (record.size < kSmallestGap) return std::nullopt;
  const auto read_header = [&](Bytes from) {
    BigEndianCursor in(from, "record");
    KeyHeader header = read_key_header(in);
    if (header.seek != offset || in.position() > static_cast<size_t>(header.key_size) ||
        static_cast<uint64_t>(header.key_size) > record.size) {
      throw FormatError("corrupt key header");
    }
    return header;
  };
  try {
    record.header = read_header(bytes);
  } catch (const FormatError&) {
    try {
      record.header = read_header(window.at(offset, std::min<uint64_t>(record.size, INT16_MAX)));
    } catch (const FormatError&) {
      if (!record.is_gap) return std::nullopt;
    }
  }
  return record;
}

/// Records that belong to the container, or to a tree or n-tuple, and are no objects of a directory.
bool is_listed(const KeyHeader& header, const KeyHeader& file) {
  if (header.class_name == "TBasket" || header.class_name == "RBlob" || header.class_name.empty())
    return false;
  const bool of_file = header.class_name == file.class_name && header.name == file.name;
  return !of_file && header.name != "StreamerInfo";
}

class Scanner {
 public:
  Scanner(const io::RandomAccessFile& bytes, const FileHeader& header)
      : bytes_(bytes), window_(bytes), top_(header.begin) {}

  RecordScan scan() {
    std::optional<KeyHeader> file;
    uint64_t offset = top_;
    while (const auto record = read_record_at(window_, offset)) {
      if (record->header) {
        if (!file) file = record->header;
        add(*record, *file);
      }
      offset += record->size;
    }
    resolve(live_, result_.keys);
    std::unordered_set<std::string> taken;
    for (const Key& key : result_.keys) taken.insert(key.path);
    std::vector<Key> deleted;
    resolve(deleted_, deleted);
    std::ranges::stable_sort(deleted, [](const Key& a, const Key& b) {
      return a.cycle != b.cycle ? a.cycle > b.cycle : a.seek > b.seek;
    });
    for (Key& key : deleted) {
      if (taken.insert(key.path).second) result_.deleted.push_back(std::move(key));
    }
    return std::move(result_);
  }

 private:
  struct Found {
    Key key;  // its path is its name alone
    uint64_t parent = 0;
  };

  void add(const Record& record, const KeyHeader& file) {
    const KeyHeader& header = *record.header;
    if (header.name == "StreamerInfo" && header.class_name == "TList") {
      if (record.is_gap || record.size > bytes_.size() - header.seek) return;
      result_.info_seek = header.seek;
      result_.info_size = static_cast<uint32_t>(record.size);
    }
    if (!is_listed(header, file)) return;
    if (!record.is_gap && record.size > bytes_.size() - header.seek) return;  // it is cut short
    const auto key_size = static_cast<uint64_t>(header.key_size);
    Found found{.key = key_of(header, header.name), .parent = header.parent_seek};
    found.key.record_size = static_cast<uint32_t>(record.size);  // of what was deleted it is negative there
    if (is_directory_class(header.class_name)) {
      // A list of keys has the directory's class and name, too.
      if (!record.is_gap && is_own_record(header.seek, key_size)) {
        directories_.emplace(header.seek, live_.size());
        live_.push_back(std::move(found));
      }
      return;
    }
    if (!record.is_gap) {
      live_.push_back(std::move(found));
      return;
    }
    const auto object = static_cast<uint64_t>(header.object_size);
    const uint64_t room = record.size - key_size;
    const Bytes stored = window_.at(header.seek + key_size, std::min(room, object));
    const auto size = codec::size_of_blocks(stored, object);
    if (!size && stored.size() < object) return;
    found.key.record_size = static_cast<uint32_t>(key_size + size.value_or(object));
    deleted_.push_back(std::move(found));
  }

  bool is_own_record(uint64_t seek, uint64_t key_size) {
    try {
      return read_directory(window_.at(seek + key_size, Directory::kMostBytes)).seek == seek;
    } catch (const FormatError&) {
      return false;
    }
  }

  // Names to paths. A directory that is in itself, or too deep, is at the top.
  void resolve(const std::vector<Found>& found, std::vector<Key>& keys) const {
    for (const Found& each : found) {
      Key key = each.key;
      uint64_t parent = each.parent;
      for (int depth = 0; depth < kDeepestDirectory; ++depth) {
        const auto directory = directories_.find(parent);
        if (directory == directories_.end()) break;
        const Found& above = live_[directory->second];
        if (key.path.size() + above.key.path.size() >= kLongestPath) break;
        key.path = above.key.path + '/' + key.path;
        parent = above.parent;
      }
      keys.push_back(std::move(key));
    }
  }

  const io::RandomAccessFile& bytes_;
  Window window_;
  uint64_t top_;
  RecordScan result_;
  std::vector<Found> live_;
  std::vector<Found> deleted_;
  std::unordered_map<uint64_t, size_t> directories_;  // by the place of their record: in live_
};

}  // namespace

RecordScan scan_records(const io::RandomAccessFile& bytes, const FileHeader& header) {
  return Scanner(bytes, header).scan();
}

}  // namespace sapwood::root
