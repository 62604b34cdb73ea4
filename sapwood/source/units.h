#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sapwood/column/reader.h"

namespace sapwood {

/// Where the blocks of a column lie in a file.
struct ColumnOutline {
  std::vector<StorageBlock> blocks{};  ///< ordered by first entry
  double values_per_entry = 1;         ///< mean number of innermost values
};

/// What planning needs of a file, besides its path.
struct TableOutline {
  int64_t num_entries = 0;
  std::vector<EntryRange> clusters{};  ///< ascending
  std::vector<ColumnOutline> columns{};
};

ColumnOutline outline_of(const Reader& reader, size_t column);

/// A piece of work: consecutive entries of one file, read and decoded at once.
struct Unit {
  size_t file = 0;
  EntryRange entries{};        ///< in the file's own entries
  uint64_t stored_bytes = 0;   ///< of all blocks it touches, compressed
  uint64_t decoded_bytes = 0;  ///< of all blocks it touches, decompressed
};

struct UnitOptions {
  uint64_t target_bytes = uint64_t{8} << 20;  ///< decoded, of a usual unit
  /// Entries of a usual unit where there is little data: it is smaller than `target_bytes` then, when
  /// clusters end there and no block straddles the cut, so that there are units enough to mix.
  int64_t target_entries = INT64_MAX;
  uint64_t largest_bytes = uint64_t{64} << 20;  ///< decoded, of a unit that grows to cut fewer blocks
  int64_t max_entries = INT64_MAX;              ///< of the file: later ones come into no unit
};

/// Cuts a file into units for reading the columns of `table`: a pure function of the file's metadata. Small
/// clusters are merged; large ones are cut where the fewest bytes lie in baskets or pages that straddle the
/// cut (those are decoded on both sides); a unit grows until that is at most a tenth of it, or to
/// `largest_bytes`.
std::vector<Unit> plan_units(const TableOutline& table, size_t file, const UnitOptions& options = {});

}  // namespace sapwood
