#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "sapwood/dataset/dataset.h"
#include "sapwood/features/row_format.h"
#include "sapwood/loader/batch.h"
#include "sapwood/loader/ranks.h"
#include "sapwood/loader/row_cache.h"
#include "sapwood/loader/row_order.h"

namespace sapwood {

/// How the loader's memory is shared out, in bytes.
struct MemoryShares {
  uint64_t total = 0;
  uint64_t staging = 0;  ///< rows in buckets, with their index
  uint64_t units = 0;    ///< units that are read ahead or being decoded
  uint64_t ready = 0;    ///< batches made, not yet delivered
  uint64_t cache = 0;    ///< of `staging`, rows that stay for later epochs
};

/// The memory of a loader, kept from epoch to epoch and shared by the parts of a split. Of what is released
/// only so much is kept for reuse that a tenth of all is left for what is not counted: the heap with the
/// metadata of files that are opened again and again, and stacks.
struct LoaderPools {
  explicit LoaderPools(const MemoryShares& shares)
      : work(std::make_shared<RecyclingPool>((shares.total - shares.ready) / 10 * 9)),
        batches(std::make_shared<RecyclingPool>(shares.ready / 10 * 9)),
        cache(shares.cache) {}
  std::shared_ptr<RecyclingPool> work;     ///< what the memory bound covers
  std::shared_ptr<RecyclingPool> batches;  ///< batches, delivered ones too
  RowCache cache;
  std::atomic<uint64_t> running{0};  ///< epochs that share them at the moment
};

/// Bytes that decoding a unit of the selected columns takes besides its stored bytes; `work_bytes` of each
/// entry for formulas and transforms.
uint64_t decoding_bytes(const Unit& unit, const Selection& selection, double work_bytes);

/// All that an epoch needs to run.
struct EpochPlan {
  std::shared_ptr<const Dataset> dataset;
  std::shared_ptr<const RowFormat> format;
  Selection selection;
  double work_bytes = 0;       ///< of an entry, for formulas and transforms
  double row_bytes = 0;        ///< of a staged row, on average
  double batch_row_bytes = 0;  ///< of a row in batches, on average
  RankStream stream;
  std::shared_ptr<const RowFilter> filter;
  std::optional<Prefilter> prefilter{};   ///< that rows must pass
  std::vector<DivisionPart> divisions{};  ///< of which rows must be in all
  /// Places of each division's columns in the selection, behind those of the format.
  std::vector<std::vector<size_t>> division_columns{};
  std::shared_ptr<const EpochCopies> copies{};  ///< of a balanced epoch
  OrderKey key;
  double kept = 1;  ///< rows of an entry: the share that the filter keeps, at most; or copies
  int64_t batch_size = 1;
  bool drop_remainder = false;
  std::optional<BatchPlan> batches{};  ///< where rows were counted; else all there are, in full batches
  size_t threads = 1;
  OnError on_error = OnError::kRaise;
  int64_t first_batch = 0;  ///< number of the first one to deliver
  RowPlace after{};         ///< rows up to this one have been delivered already
  MemoryShares memory;
  std::shared_ptr<LoaderPools> pools;

  /// Bytes of memory that fetching a unit takes besides those that it fetches.
  uint64_t fetching_bytes(const Unit& unit) const { return prefilter ? unit.decoded_bytes : 0; }
  /// Whether rows may come twice in place of others that can't be read: so that ranks have as many batches.
  bool may_repeat() const { return batches && on_error == OnError::kSkip; }
};

/// Starts the threads of an epoch.
std::unique_ptr<BatchStream> start_pipeline(EpochPlan plan);

}  // namespace sapwood
