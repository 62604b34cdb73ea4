#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ceiling/blocks.h"

namespace sapwood::ceiling {

/// Keeps a pass's memory for the next one.
using Pool = std::shared_ptr<MemoryPool>;

/// What a pass over all files went through.
struct Passed {
  uint64_t stored_bytes = 0;
  uint64_t bytes = 0;  ///< decompressed
};

/// Reads all blocks and decompresses them, on each thread into one buffer that is used again: nothing that
/// reads these columns can be faster. Blocks that lie together in the file are read at once; those that are
/// not compressed are only read.
Passed decompress(const std::vector<FileBlocks>& files, size_t threads, const Pool& pool);

/// Decompresses clusters of columns of four bytes (together at least `window` rows), then gathers their rows
/// in random order, within windows of so many, into batches of `kBatchRows`: the least that a shuffling
/// loader does. Bytes stay in the order in which they are stored. Throws ConfigError for other columns.
Passed gather(const std::vector<FileBlocks>& files, size_t num_columns, int64_t window, size_t threads,
              const Pool& pool);

constexpr int64_t kBatchRows = 1024;

/// Fetches and decodes the columns unit by unit, into memory that is used again. With `sums`, adds up the
/// values of each column and their absolute values there (which takes time).
using Sums = std::vector<std::pair<double, double>>;
int64_t decode(const Dataset& dataset, const std::vector<std::string>& columns, size_t threads,
               const Pool& pool, Sums* sums = nullptr);

}  // namespace sapwood::ceiling
