#include "sapwood/root/file.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>
#include <utility>

#include "sapwood/codec/decompress.h"
#include "sapwood/root/file_header.h"
#include "sapwood/root/key_header.h"
#include "sapwood/root/record_scan.h"

namespace sapwood::root {
namespace {

/// Key headers take at least this in a key list: 26 bytes and three empty strings.
constexpr uint64_t kSmallestKey = 29;

}  // namespace

/// The state of opening: walks the directories and collects their keys.
struct File::Opener {
  const io::RandomAccessFile& bytes;
  std::vector<Key>& keys;
  std::unordered_set<uint64_t> visited{};

  std::vector<std::byte> read(uint64_t offset, uint64_t size, const char* what) const {
    if (offset > bytes.size() || size > bytes.size() - offset) {
      throw FormatError(concat("corrupt or truncated: ", what, " of ", size, " bytes at byte ", offset,
                               " in a file of ", bytes.size()));
    }
    std::vector<std::byte> result(size);
    bytes.read_at(offset, result);
    return result;
  }

  Directory directory_at(uint64_t offset) const {
    const uint64_t available = offset < bytes.size() ? bytes.size() - offset : 0;
    return read_directory(read(offset, std::min(available, Directory::kMostBytes), "a directory"));
  }

  // The key list: a key header of its own, int32 number of keys, the key headers.
  void walk(const Directory& directory, const std::string& prefix, int depth) {
    if (depth > kDeepestDirectory) {
      throw FormatError(concat("directories nested more than ", kDeepestDirectory, " deep"));
    }
    if (!visited.insert(directory.key_list_seek).second) {
      throw FormatError(concat("corrupt directory '", prefix, "': its key list belongs to another too"));
    }
    const auto list = read(directory.key_list_seek, directory.key_list_size, "a key list");
    BigEndianCursor in(list, "key list");
    read_key_header(in);
    const auto count = in.read<uint32_t>();
    in.require(count, kSmallestKey);
    for (uint32_t i = 0; i < count; ++i) {
      const KeyHeader header = read_key_header(in);
      if (header.record_size < header.key_size) {
        throw FormatError(concat("corrupt key '", header.name, "': a record of ", header.record_size,
                                 " bytes with a header of ", header.key_size));
      }
      if (prefix.size() + header.name.size() > kLongestPath) {
        throw FormatError(concat("a path of more than ", kLongestPath, " bytes"));
      }
      keys.push_back(key_of(header, prefix + header.name));
      if (!is_directory_class(header.class_name)) continue;
      const Directory child = directory_at(header.seek + static_cast<uint64_t>(header.key_size));
      // A directory that never got a key has no list.
      if (child.key_list_seek != 0) walk(child, prefix + header.name + '/', depth + 1);
    }
  }
};

std::shared_ptr<const File> File::open(std::unique_ptr<io::RandomAccessFile> bytes) {
  const std::shared_ptr<File> file(new File);
  file->bytes_ = std::move(bytes);
  with_context({.file = file->uri()}, [&] {
    Opener opener{*file->bytes_, file->keys_};
    const uint64_t size = file->bytes_->size();
    const FileHeader header =
        read_file_header(opener.read(0, std::min(size, FileHeader::kMostBytes), "the header"), size);
    file->version_ = header.version;
    file->streamer_info_seek_ = header.info_seek;
    file->streamer_info_size_ = header.info_size;
    const Directory top = opener.directory_at(header.begin + header.name_bytes);
    const bool has_keys = top.key_list_seek > header.begin;
    const bool was_closed = header.end == size || (header.end < size && header.free_seek != 0);
    if (has_keys && was_closed) return opener.walk(top, "", 0);
    try {
      if (has_keys) opener.walk(top, "", 0);
    } catch (const FormatError&) {
      // What is missing of the lists may be found without them.
    }
    file->recover(header);
  });
  return file;
}

void File::recover(const FileHeader& header) {
  const uint64_t size = bytes_->size();
  const auto is_inside = [&](uint64_t seek, uint64_t length) {
    return seek <= size && length <= size - seek;
  };
  RecordScan scan = scan_records(*bytes_, header);
  std::unordered_set<std::string> paths;  // of whole objects
  std::unordered_set<uint64_t> listed;
  size_t num_whole = 0;
  size_t num_earlier = 0;
  for (const Key& key : keys_) {
    listed.insert(key.seek);
    if (!is_inside(key.seek, key.record_size)) continue;
    paths.insert(key.path);
    ++num_whole;
  }
  for (Key& key : scan.keys) {
    if (!paths.insert(key.path).second && listed.contains(key.seek)) continue;
    keys_.push_back(std::move(key));
    ++num_whole;
  }
  std::erase_if(scan.deleted, [&](const Key& key) { return paths.contains(key.path); });
  std::unordered_set<std::string_view> replaced;
  for (const Key& key : scan.deleted) replaced.insert(key.path);
  std::erase_if(keys_, [&](const Key& key) { return replaced.contains(key.path); });
  constexpr size_t kMostNames = 5;
  std::string earlier;
  for (Key& key : scan.deleted) {
    if (++num_earlier <= kMostNames)
      earlier += concat(", ", key.path, " as it was before it was last written");
    keys_.push_back(std::move(key));
  }
  num_whole += num_earlier;
  const std::string what = header.end > size
                               ? concat("the file is truncated: its header says that the data end at byte ",
                                        header.end, ", it has ", size, " bytes")
                               : std::string("the file was not closed cleanly");
  if (num_whole == 0) throw FormatError(concat(what, "; no object is left in it"));
  warning_ = concat(what, "; objects left in it: ", num_whole, earlier);
  if (streamer_info_seek_ == 0 || !is_inside(streamer_info_seek_, streamer_info_size_)) {
    streamer_info_seek_ = scan.info_seek;
    streamer_info_size_ = scan.info_size;
  }
}

const Key* File::find(std::string_view path) const {
  const auto find_cycle = [&](std::string_view name, std::optional<int> cycle) {
    const Key* best = nullptr;
    for (const Key& key : keys_) {
      if (key.path != name || (cycle && key.cycle != *cycle)) continue;
      if (best == nullptr || key.cycle > best->cycle) best = &key;
    }
    return best;
  };
  if (const Key* whole = find_cycle(path, std::nullopt)) return whole;
  const size_t semicolon = path.rfind(';');
  if (semicolon == std::string_view::npos) return nullptr;
  const std::string_view digits = path.substr(semicolon + 1);
  int cycle = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), cycle);
  if (error != std::errc{} || end != digits.data() + digits.size()) return nullptr;
  return find_cycle(path.substr(0, semicolon), cycle);
}

Buffer File::read_object(const Key& key, const std::shared_ptr<MemoryPool>& pool) const {
  return with_context({.file = uri(), .object = key.path}, [&] {
    const Buffer record = read_record(key.seek, key.record_size, pool);
    StoredObject stored = unpack_record({record.data(), record.size()}, pool);
    if (stored.key_size != key.key_size) {
      throw FormatError(concat("corrupt: the record's header has ", stored.key_size,
                               " bytes, the directory says ", key.key_size));
    }
    return std::move(stored.bytes);
  });
}

Buffer File::streamer_info_record(const std::shared_ptr<MemoryPool>& pool) const {
  if (streamer_info_seek_ == 0 || streamer_info_size_ == 0) return {};
  return with_context({.file = uri(), .object = "StreamerInfo"},
                      [&] { return read_record(streamer_info_seek_, streamer_info_size_, pool); });
}

Buffer File::read_record(uint64_t seek, uint64_t record_size, const std::shared_ptr<MemoryPool>& pool) const {
  if (seek > bytes_->size() || record_size > bytes_->size() - seek) {
    throw FormatError(concat("corrupt or truncated: a record of ", record_size, " bytes at byte ", seek,
                             " in a file of ", bytes_->size()));
  }
  Buffer record(record_size, pool);
  bytes_->read_at(seek, {record.data(), record.size()});
  return record;
}

StoredObject unpack_record(Bytes record, const std::shared_ptr<MemoryPool>& pool) {
  BigEndianCursor in(record, "record");
  const KeyHeader header = read_key_header(in);
  in.seek(static_cast<size_t>(header.key_size));
  const Bytes stored = in.take(in.remaining());
  const auto size = static_cast<uint64_t>(header.object_size);
  check_object_size(stored, size);
  Buffer object(size, pool);
  codec::decompress(stored, {object.data(), object.size()});
  return {object, static_cast<uint32_t>(header.key_size)};
}

}  // namespace sapwood::root
