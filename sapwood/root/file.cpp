#include "sapwood/root/file.h"

#include <algorithm>
#include <charconv>
#include <unordered_set>
#include <utility>

#include "sapwood/codec/decompress.h"
#include "sapwood/root/key_header.h"

namespace sapwood::root {
namespace {

constexpr int32_t kBigFileVersion = 1000000;
constexpr int16_t kBigDirectoryVersion = 1000;
/// Longest header: with 64-bit positions.
constexpr uint64_t kHeaderBytes = 75;
/// TDirectory record with 64-bit positions.
constexpr uint64_t kDirectoryBytes = 42;
/// Key headers take at least this in a key list: 26 bytes and three empty strings.
constexpr uint64_t kSmallestKey = 29;
constexpr int kDeepestDirectory = 100;

struct Header {
  int32_t version = 0;
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t name_bytes = 0;
  uint64_t info_seek = 0;
  uint32_t info_size = 0;
};

struct Directory {
  uint32_t key_list_size = 0;
  uint64_t key_list_seek = 0;
};

bool is_directory(const std::string& class_name) {
  return class_name == "TDirectory" || class_name == "TDirectoryFile";
}

// File header, big-endian:
//   "root", int32 fVersion (1000000 is added in files with 64-bit positions), int32 fBEGIN,
//   position fEND, position fSeekFree, int32 fNbytesFree, int32 nfree, int32 fNbytesName, uint8 fUnits,
//   int32 fCompress, position fSeekInfo, int32 fNbytesInfo, UUID          (position: uint32 or uint64)
Header read_header(Bytes bytes, uint64_t file_size) {
  constexpr char kMagic[] = {'r', 'o', 'o', 't'};
  if (file_size == 0) throw FormatError("not a ROOT file: it is empty");
  if (bytes.size() < sizeof kMagic || std::memcmp(bytes.data(), kMagic, sizeof kMagic) != 0) {
    throw FormatError("not a ROOT file: it doesn't begin with 'root'");
  }
  BigEndianCursor in(bytes, "file header");
  in.skip(sizeof kMagic);
  Header header;
  header.version = in.read<int32_t>();
  header.begin = in.read<uint32_t>();
  // Text may begin with "root" too; no writer has put the first record elsewhere than at byte 64, 100 or a
  // little after.
  constexpr uint32_t kLastBegin = 1 << 16;
  if (header.version <= 0 || header.version >= 2 * kBigFileVersion || header.begin > kLastBegin) {
    throw FormatError(concat("not a ROOT file: its header names version ", header.version,
                             " and a first record at byte ", header.begin));
  }
  const bool big = header.version >= kBigFileVersion;
  const auto read_position = [&] { return big ? in.read<uint64_t>() : in.read<uint32_t>(); };
  header.end = read_position();
  read_position();
  in.skip(8);
  header.name_bytes = in.read<uint32_t>();
  in.skip(5);
  header.info_seek = read_position();
  header.info_size = in.read<uint32_t>();
  header.version %= kBigFileVersion;
  if (header.end > file_size) {
    throw FormatError(concat("truncated: the header says the data end at byte ", header.end,
                             ", the file has ", file_size, " bytes"));
  }
  if (header.begin > file_size || header.name_bytes > file_size - header.begin) {
    throw FormatError(concat("corrupt file header: the top directory at byte ", header.begin, " + ",
                             header.name_bytes, " of ", file_size));
  }
  return header;
}

// TDirectory, big-endian:
//   int16 version, uint32 fDatimeC, uint32 fDatimeM, int32 fNbytesKeys, int32 fNbytesName,
//   fSeekDir, fSeekParent, fSeekKeys (uint32 each, or uint64 when version > 1000), UUID
Directory read_directory(Bytes bytes) {
  BigEndianCursor in(bytes, "directory");
  const auto version = in.read<int16_t>();
  in.skip(8);
  Directory directory;
  directory.key_list_size = in.read<uint32_t>();
  in.skip(4);
  const bool big = version > kBigDirectoryVersion;
  in.skip(big ? 16 : 8);
  directory.key_list_seek = big ? in.read<uint64_t>() : in.read<uint32_t>();
  return directory;
}

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
    return read_directory(read(offset, std::min(available, kDirectoryBytes), "a directory"));
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
      keys.push_back({.path = prefix + header.name,
                      .class_name = header.class_name,
                      .title = header.title,
                      .cycle = header.cycle,
                      .seek = header.seek,
                      .record_size = static_cast<uint32_t>(header.record_size),
                      .key_size = static_cast<uint32_t>(header.key_size),
                      .uncompressed_size = static_cast<uint32_t>(header.object_size)});
      if (!is_directory(header.class_name)) continue;
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
    const Header header = read_header(opener.read(0, std::min(size, kHeaderBytes), "the header"), size);
    file->version_ = header.version;
    file->streamer_info_seek_ = header.info_seek;
    file->streamer_info_size_ = header.info_size;
    const Directory top = opener.directory_at(header.begin + header.name_bytes);
    if (top.key_list_seek <= header.begin) {
      throw FormatError("the file was not closed cleanly: its top directory has no list of keys");
    }
    opener.walk(top, "", 0);
  });
  return file;
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
  check_compression_ratio(stored.size(), size);
  Buffer object(size, pool);
  codec::decompress(stored, {object.data(), object.size()});
  return {object, static_cast<uint32_t>(header.key_size)};
}

}  // namespace sapwood::root
