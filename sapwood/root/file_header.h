#pragma once

#include <cstdint>
#include <string_view>

#include "sapwood/base/cursor.h"

namespace sapwood::root {

/// What no file in earnest goes beyond.
inline constexpr int kDeepestDirectory = 100;
inline constexpr size_t kLongestPath = 4096;

/// What stands at the start of a TFile.
struct FileHeader {
  /// Longest header: with 64-bit positions.
  static constexpr uint64_t kMostBytes = 75;

  int32_t version = 0;      ///< of ROOT, such as 63400
  uint64_t begin = 0;       ///< of the first record, which is the top directory's
  uint64_t end = 0;         ///< of the data, as last noted; of a file that was closed its size, or less
  uint64_t free_seek = 0;   ///< of the record of free segments; 0: the file was never closed
  uint64_t name_bytes = 0;  ///< from `begin` to the top directory itself
  uint64_t info_seek = 0;   ///< of the record of streamer infos
  uint32_t info_size = 0;
};

/// A directory, in its record.
struct Directory {
  /// With 64-bit positions.
  static constexpr uint64_t kMostBytes = 42;

  uint32_t key_list_size = 0;
  uint64_t seek = 0;           ///< of its own record
  uint64_t key_list_seek = 0;  ///< 0: it has no keys, or was not closed
};

bool is_directory_class(std::string_view class_name);

/// Reads the header from the first bytes of a file of `file_size`. Throws FormatError: no ROOT file, corrupt.
FileHeader read_file_header(Bytes bytes, uint64_t file_size);

/// Throws FormatError when it ends early.
Directory read_directory(Bytes bytes);

}  // namespace sapwood::root
