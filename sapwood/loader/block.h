#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "sapwood/loader/pipeline.h"
#include "sapwood/loader/staging.h"

namespace sapwood {

/// Consecutive rows of a sorted bucket, as part of a block.
struct RowRun {
  std::shared_ptr<SortedBucket> bucket;
  size_t begin = 0;
  size_t end = 0;
};

/// Rows that become batches together, delivered in the order of `number`.
struct Block {
  int64_t number = 0;
  int64_t rows = 0;
  int64_t first_batch = 0;     ///< its number
  std::vector<RowRun> runs{};  ///< until the batches are made
  std::vector<Batch> batches{};
  uint64_t bytes = 0;  ///< of all batches

  /// Makes the batches; sorts the rows where nobody has.
  void make_batches(const EpochPlan& plan, const std::shared_ptr<MemoryPool>& pool);

 private:
  RowPlace place(size_t row) const;
};

/// Cuts the rows of sorted buckets, in order, into blocks of `block_rows` rows (a multiple of the batch
/// size). Used by one thread at a time.
class BlockCutter {
 public:
  BlockCutter(const EpochPlan& plan, int64_t block_rows);
  void add(std::shared_ptr<SortedBucket> bucket);
  /// Rows that were counted and did not come.
  int64_t missing_rows() const;
  /// Rows of the last bucket once more, in place of missing ones, so that ranks have as many batches. False
  /// where there are no rows at all.
  bool repeat_rows();
  /// Moves whole blocks to `blocks`; with `last` the rest too, but for what is dropped.
  void cut(bool last, std::deque<Block>& blocks);

 private:
  const EpochPlan& plan_;
  int64_t block_rows_;
  std::deque<RowRun> rows_;  // not yet in a block
  int64_t num_rows_ = 0;
  int64_t uncut_rows_ = INT64_MAX;      // that may still go into blocks
  std::shared_ptr<SortedBucket> last_;  // with rows, where some may have to come twice
  int64_t blocks_ = 0;
};

}  // namespace sapwood
