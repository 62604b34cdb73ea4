#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "sapwood/loader/loader.h"
#include "sapwood/loader/pipeline.h"

namespace sapwood {

constexpr int64_t kMostRanks = 1 << 20;

/// What loaders of parts, of other seeds and of workers copy.
struct LoaderSettings {
  std::shared_ptr<const Dataset> dataset;
  LoaderOptions options;
  std::shared_ptr<const RowFormat> format;
  std::optional<Prefilter> prefilter;              ///< the first of the divisions, when it is read first
  Selection selection;                             ///< what is read then
  Selection everything_read;                       ///< both
  std::shared_ptr<const std::vector<Unit>> units;  ///< in file order
  std::vector<size_t> sample_of_file;
  double row_bytes = 0;        ///< of a staged row, on average
  double batch_row_bytes = 0;  ///< of a row in batches, on average
  double work_bytes = 0;       ///< of an entry, for formulas and transforms
  int64_t batch_rows = 0;
  MemoryShares memory;
  std::shared_ptr<LoaderPools> pools;
  int64_t buffer_rows = 0;
  SplitPart part;
  std::shared_ptr<const SplitOrder> split;  ///< where the part is not everything
  std::vector<DivisionPart> divisions;
  std::vector<std::vector<size_t>> division_columns;  ///< of what is read
  std::vector<size_t> files;                          ///< that rows come from,
  std::vector<EntryRange> ranges;                     ///< and which entries of each file
  int64_t num_entries = 0;                            ///< of those files
  std::shared_ptr<const BalancedRows> balanced;       ///< of the rows in the part, where they are

  /// What is read, how it is cut, and how the memory is shared out. Takes pools of its own.
  void plan_reading();
  /// Leaves the units of other files out, and entries outside the ranges.
  void take_files(std::vector<size_t> wanted);
  /// Counts the rows of classes and bins, and shares out the memory. Takes pools of its own.
  void take_balance(const Balance& balance);
  /// Shares out the memory. Takes pools of its own.
  void fit_memory();
  void set_buffer_rows(int64_t wanted);
  /// Rows of an epoch, at most.
  int64_t most_rows() const { return balanced ? balanced->quotas.rows : num_entries; }
  /// More than all rows are as good as all.
  int64_t shuffled_rows() const { return std::min(buffer_rows, most_rows()); }
  bool everything() const {
    return part.everything() && divisions.empty() && (!balanced || balanced->cells->everything());
  }
  /// The share of rows that come, at most.
  double kept() const;
  /// The share of rows that stay in memory from epoch to epoch.
  double cached_share() const;
  /// The files of each fraction. Throws ConfigError where there are too few.
  std::vector<std::vector<size_t>> part_files(const std::vector<double>& fractions) const;
  /// What an epoch's order is made of: entries of files, how they are cut, samples.
  uint64_t data_hash() const;
  uint64_t features_hash() const;

 protected:
  /// Bytes of the divisions' parts of all rows, or of their cells, and whether they are kept.
  uint64_t parts_bytes() const {
    return divisions.size() * static_cast<uint64_t>(dataset->num_entries()) +
           (balanced ? balanced->cells->kept_bytes() : 0);
  }
  bool keeps_parts() const { return parts_bytes() <= options.memory / 4 && dataset->source().is_ordered(); }

 private:
  void plan_prefilter(const std::vector<std::string>& other_columns);
  int64_t fitting_rows() const;
  double cached_bytes() const;  // of all rows
};

/// A loader's plan, with what is counted once. Safe from many threads.
class LoaderPlan : public LoaderSettings {
 public:
  explicit LoaderPlan(LoaderSettings settings) : LoaderSettings(std::move(settings)) {}
  /// Rows of all ranks.
  int64_t num_rows();
  /// For each fraction the entries of each file that hold it, cut between the rows of each sample in order.
  std::vector<std::vector<EntryRange>> part_ranges(const std::vector<double>& fractions);
  BatchPlan batches();
  /// `closed` as in states of this loader. Refers to this plan.
  LegPlan leg(uint64_t epoch, const std::vector<Leg>& closed, int64_t world_size);
  /// What an epoch of a balanced loader reads.
  const Readings& readings();

 private:
  const std::vector<int64_t>& unit_rows();

  std::mutex mutex_;
  std::optional<std::vector<int64_t>> rows_;  // of each unit, in the part, once counted
  std::unique_ptr<DivisionTest> test_;        // by which they were, where there are divisions
  std::optional<Readings> readings_;
};

}  // namespace sapwood
