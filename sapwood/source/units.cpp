#include "sapwood/source/units.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

namespace sapwood {
namespace {

constexpr size_t kCandidates = 16;          // cuts weighed against each other for one unit
constexpr double kStraddleAllowance = 0.1;  // of a unit's bytes

// The blocks of one column with running totals, to sum over ranges quickly.
struct ColumnBlocks {
  std::span<const StorageBlock> blocks;
  std::vector<uint64_t> stored_before;
  std::vector<uint64_t> decoded_before;

  explicit ColumnBlocks(std::span<const StorageBlock> sorted) : blocks(sorted) {
    uint64_t stored = 0;
    uint64_t decoded = 0;
    for (const StorageBlock& block : blocks) {
      stored_before.push_back(stored);
      decoded_before.push_back(decoded);
      stored += block.compressed_bytes;
      decoded += block.uncompressed_bytes;
    }
    stored_before.push_back(stored);
    decoded_before.push_back(decoded);
  }

  // The first block that starts at `entry` or later.
  size_t lower(int64_t entry) const {
    const auto found = std::lower_bound(blocks.begin(), blocks.end(), entry,
                                        [](const StorageBlock& b, int64_t e) { return b.first_entry < e; });
    return static_cast<size_t>(found - blocks.begin());
  }

  // Bytes of the block that is cut in two at `entry`.
  uint64_t straddling(int64_t entry) const {
    const size_t next = lower(entry);
    const bool starts_here = next < blocks.size() && blocks[next].first_entry == entry;
    return starts_here || next == 0 ? 0 : blocks[next - 1].uncompressed_bytes;
  }

  void add_to(Unit& unit) const {
    size_t begin = lower(unit.entries.start);
    const bool starts_here = begin < blocks.size() && blocks[begin].first_entry == unit.entries.start;
    if (!starts_here && begin > 0) --begin;
    const size_t end = std::max(begin, lower(unit.entries.stop));
    unit.stored_bytes += stored_before[end] - stored_before[begin];
    unit.decoded_bytes += decoded_before[end] - decoded_before[begin];
  }
};

class UnitPlanner {
 public:
  UnitPlanner(const TableOutline& table, const UnitOptions& options)
      : options_(options), num_entries_(std::min(table.num_entries, options.max_entries)) {
    uint64_t decoded = 0;
    for (const ColumnOutline& column : table.columns) {
      columns_.emplace_back(column.blocks);
      decoded += columns_.back().decoded_before.back();
    }
    const int64_t entries = std::max<int64_t>(table.num_entries, 1);
    bytes_per_entry_ = std::max(1e-3, static_cast<double>(decoded) / static_cast<double>(entries));
    for (const ColumnBlocks& column : columns_) {
      for (const StorageBlock& block : column.blocks) block_starts_.push_back(block.first_entry);
    }
    for (const EntryRange& cluster : table.clusters) cluster_starts_.push_back(cluster.start);
    std::sort(block_starts_.begin(), block_starts_.end());
    block_starts_.erase(std::unique(block_starts_.begin(), block_starts_.end()), block_starts_.end());
  }

  std::vector<Unit> plan(size_t file) const {
    std::vector<Unit> units;
    for (int64_t start = 0; start < num_entries_;) {
      Unit unit;
      unit.file = file;
      unit.entries = {start, next_cut(start)};
      for (const ColumnBlocks& column : columns_) column.add_to(unit);
      start = unit.entries.stop;
      units.push_back(unit);
    }
    return units;
  }

 private:
  int64_t entries_of(double bytes) const {
    return std::max<int64_t>(1, std::llround(bytes / bytes_per_entry_));
  }

  uint64_t straddling(int64_t entry) const {
    uint64_t bytes = 0;
    for (const ColumnBlocks& column : columns_) bytes += column.straddling(entry);
    return bytes;
  }

  // The start of a cluster, at least `target_entries` on and before `target_bytes`, that cuts no block.
  std::optional<int64_t> free_cut(int64_t start) const {
    const int64_t end =
        std::min(num_entries_, start + entries_of(static_cast<double>(options_.target_bytes)));
    if (end - start <= options_.target_entries) return std::nullopt;
    const auto first = std::lower_bound(cluster_starts_.begin(), cluster_starts_.end(),
                                        std::max(start + options_.target_entries, start + 1));
    const auto cut = std::find_if(first, cluster_starts_.end(),
                                  [&](int64_t at) { return at >= end || straddling(at) == 0; });
    return cut == cluster_starts_.end() || *cut >= end ? std::nullopt : std::optional(*cut);
  }

  // Where the unit that starts at `start` ends. Ever larger sizes are tried until a cut is cheap enough.
  int64_t next_cut(int64_t start) const {
    const int64_t end = num_entries_;
    int64_t best = end;
    if (const auto cut = free_cut(start)) return *cut;
    double best_share = 2;
    for (double size = static_cast<double>(options_.target_bytes);
         size <= static_cast<double>(options_.largest_bytes); size *= 2) {
      const int64_t wanted = start + entries_of(size);
      if (wanted + entries_of(size) / 2 >= end) return end;
      for (const int64_t cut :
           candidates(start + entries_of(size / 2), wanted + entries_of(size / 2), wanted)) {
        const double share =
            static_cast<double>(straddling(cut)) / (bytes_per_entry_ * static_cast<double>(cut - start));
        const bool nearer = share == best_share && std::abs(cut - wanted) < std::abs(best - wanted);
        if (share < best_share || nearer) {
          best = cut;
          best_share = share;
        }
      }
      if (best_share <= kStraddleAllowance) break;
    }
    return best;
  }

  // `wanted`, and block and cluster starts in (low, high], evenly drawn. Clusters cut nothing in most files,
  // so that they are drawn from on their own too.
  std::vector<int64_t> candidates(int64_t low, int64_t high, int64_t wanted) const {
    std::vector<int64_t> result{wanted};
    for (const std::vector<int64_t>* cuts : {&block_starts_, &cluster_starts_}) {
      const auto first = std::upper_bound(cuts->begin(), cuts->end(), low);
      const auto count = static_cast<size_t>(std::upper_bound(first, cuts->end(), high) - first);
      const size_t step = std::max<size_t>(1, (count + kCandidates - 1) / kCandidates);
      for (size_t i = 0; i < count; i += step) result.push_back(first[static_cast<std::ptrdiff_t>(i)]);
    }
    return result;
  }

  UnitOptions options_;
  int64_t num_entries_;
  std::vector<ColumnBlocks> columns_;
  std::vector<int64_t> block_starts_;
  std::vector<int64_t> cluster_starts_;
  double bytes_per_entry_ = 1;
};

}  // namespace

ColumnOutline outline_of(const Reader& reader, size_t column) {
  return {.blocks = reader.blocks(column), .values_per_entry = reader.schema()[column].values_per_entry};
}

std::vector<Unit> plan_units(const TableOutline& table, size_t file, const UnitOptions& options) {
  return UnitPlanner(table, options).plan(file);
}

}  // namespace sapwood
