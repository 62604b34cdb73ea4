#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sapwood/column/column.h"
#include "sapwood/dataset/dataset.h"
#include "sapwood/io/random_access_file.h"

namespace sapwood::ceiling {

/// A basket's or page's bytes in its file, without headers and checksums.
struct Block {
  size_t column = 0;  ///< place among the wanted columns
  int64_t first_entry = 0;
  uint64_t offset = 0;
  uint64_t stored_bytes = 0;
  uint64_t bytes = 0;  ///< decompressed
};

/// The blocks of the wanted columns in one file, by offset.
struct FileBlocks {
  std::unique_ptr<io::RandomAccessFile> file;
  std::vector<EntryRange> clusters;
  std::vector<Block> blocks;
};

/// Of all files. Baskets tell their exact sizes in their own headers, which are read for that. Those that a
/// tree keeps in its metadata are left out. Throws what the library throws.
std::vector<FileBlocks> list_blocks(const Dataset& dataset, const std::vector<std::string>& columns);

}  // namespace sapwood::ceiling
