#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sapwood/base/buffer.h"
#include "sapwood/io/random_access_file.h"

namespace sapwood::root {

struct FileHeader;

/// A key of the container: where an object is stored and what it is.
struct Key {
  std::string path;        ///< directories and name, "dir/sub/tree", as users write it
  std::string class_name;  ///< "TTree", "ROOT::RNTuple", "TDirectory", ...
  std::string title;
  int16_t cycle = 0;               ///< the number after ';' (highest: newest)
  uint64_t seek = 0;               ///< file offset of the key's record
  uint32_t record_size = 0;        ///< bytes of the record: key header and stored object
  uint32_t key_size = 0;           ///< bytes of the key header at its start
  uint32_t uncompressed_size = 0;  ///< bytes of the object after decompression
};

/// An object's bytes after decompression.
struct StoredObject {
  Buffer bytes;
  uint32_t key_size = 0;  ///< of the key header that stood before; references inside the object count from it
};

/// The object of a record: a key header, and the object's bytes, compressed or not. Throws FormatError.
StoredObject unpack_record(Bytes record, const std::shared_ptr<MemoryPool>& pool);

/// An open TFile. Immutable after opening; safe from many threads.
class File {
 public:
  /// Reads header and directories. Where the file is truncated or was not closed, its objects are found
  /// record by record, and `warning` tells so. Throws IoError, FormatError (not a ROOT file; no object is
  /// left in it).
  static std::shared_ptr<const File> open(std::unique_ptr<io::RandomAccessFile> bytes);

  const std::string& uri() const { return bytes_->uri(); }
  const io::RandomAccessFile& bytes() const { return *bytes_; }
  /// ROOT's version that wrote the file, as in its header, such as 63400.
  int32_t version() const { return version_; }

  /// What users should know before they take the file for whole; empty for one that is.
  const std::string& warning() const { return warning_; }

  /// All keys, sub-directories' too (directories included), in file order; of each name all cycles.
  const std::vector<Key>& keys() const { return keys_; }
  /// The key of a path, "dir/name" or "dir/name;cycle"; without a cycle the highest.
  const Key* find(std::string_view path) const;

  /// The object's bytes, decompressed. Throws IoError, FormatError.
  Buffer read_object(const Key& key, const std::shared_ptr<MemoryPool>& pool) const;
  /// The record of the list of streamer infos, as it is stored; empty when the file has none.
  Buffer streamer_info_record(const std::shared_ptr<MemoryPool>& pool) const;

 private:
  struct Opener;
  File() = default;
  void recover(const FileHeader& header);
  Buffer read_record(uint64_t seek, uint64_t record_size, const std::shared_ptr<MemoryPool>& pool) const;

  std::unique_ptr<io::RandomAccessFile> bytes_;
  int32_t version_ = 0;
  std::string warning_;
  std::vector<Key> keys_;
  uint64_t streamer_info_seek_ = 0;
  uint32_t streamer_info_size_ = 0;
};

}  // namespace sapwood::root
