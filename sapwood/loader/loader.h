#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sapwood/dataset/dataset.h"
#include "sapwood/features/feature_spec.h"
#include "sapwood/loader/balance.h"
#include "sapwood/loader/batch.h"
#include "sapwood/loader/ranks.h"
#include "sapwood/loader/shuffle_quality.h"

namespace sapwood {

struct LoaderOptions {
  FeatureSpec features{};
  int64_t batch_size = 1024;
  bool shuffle = true;
  std::optional<uint64_t> seed{};       ///< drawn, and reported, when not given
  uint64_t memory = uint64_t{1} << 30;  ///< bytes that the loader may hold besides delivered batches
  static constexpr uint64_t kUnlimitedMemory = UINT64_MAX;
  /// Whether rows stay in memory from epoch to epoch where it has room for them beside the shuffle buffer.
  bool cache = true;
  size_t threads = 0;                    ///< 0: as many as there are processors
  bool drop_remainder = false;           ///< leave out the last batch when it is not full
  std::optional<int64_t> buffer_rows{};  ///< rows of the shuffle buffer; from `memory` when not given
  OnError on_error = OnError::kRaise;
  /// Which of `world_size` processes this is, each of which gets its own rows and as many batches as the
  /// others. All must have the same options, the seed among them.
  int64_t rank = 0;
  int64_t world_size = 1;
};

/// What the rows of a part of a split have in common.
struct SplitBy {
  /// Whole files, so that no two parts read the same; each part gets some of every sample that has files
  /// enough.
  bool files = false;
  /// Columns or formulas, by a hash of whose values and the seed rows are parted, wherever they are stored:
  /// such as run, luminosity block and event. Without all these rows are drawn one by one.
  std::vector<std::string> values{};
  /// The rows of each sample in order: its first ones come into the first part, and so on.
  bool order = false;
};

/// What a loader will do, known from metadata (and, of a part by values or conditions, from their columns).
struct Explanation {
  int64_t rows = 0;          ///< of this rank, that come
  int64_t dropped_rows = 0;  ///< of this rank, with `drop_remainder`
  int64_t rank = 0;
  int64_t world_size = 1;
  int64_t entries = 0;  ///< of all ranks, as are the figures of files, clusters, units and bytes
  int64_t files = 0;
  int64_t clusters = 0;
  int64_t units = 0;  ///< that are read, some several times where classes are balanced
  int64_t batches = 0;
  int64_t batch_size = 0;
  int64_t last_batch_rows = 0;
  bool shuffle = true;
  uint64_t seed = 0;
  size_t threads = 0;
  std::vector<TensorInfo> tensors;
  uint64_t stored_bytes = 0;   ///< read from the files in an epoch
  uint64_t decoded_bytes = 0;  ///< after decompression
  double straddling = 0;  ///< share of `decoded_bytes` that is decoded a second time at cuts inside clusters
  double row_bytes = 0;   ///< mean size of a staged row
  int64_t buffer_rows = 0;
  ShuffleQuality expected{};
  uint64_t memory = 0;
  uint64_t staging_bytes = 0;            ///< share of `memory` for the shuffle buffer
  uint64_t unit_bytes = 0;               ///< for units that are read ahead or being decoded
  uint64_t ready_bytes = 0;              ///< for batches not fetched yet
  uint64_t cache_bytes = 0;              ///< of staging_bytes, for rows that stay for later epochs
  double cached = 0;                     ///< the share of rows that will
  std::vector<BalancedClass> classes{};  ///< of a balanced loader
  int64_t outside = 0;                   ///< rows outside its bins, which don't come

  /// A table for people.
  std::string to_string() const;
};

/// Where a loader stands in an epoch, and what fixes the order of its rows. Plain data, to be kept in
/// checkpoints: it is as good on another machine, with other threads, memory, or paths of the same files.
struct LoaderState {
  uint64_t seed = 0;
  uint64_t epoch = 0;
  std::vector<Leg> closed{};  ///< what was delivered before restarts with other ranks or batch sizes
  int64_t rank = 0;
  int64_t world_size = 1;
  int64_t batches = 0;  ///< delivered since then, by each rank
  RowPlace last_row{};  ///< of the last delivered batch of this rank
  int64_t buffer_rows = 0;
  uint64_t data = 0;      ///< hash of files' entries, how they are cut, samples
  uint64_t features = 0;  ///< hash of the specification
  int64_t batch_size = 0;
  bool shuffle = true;
  bool drop_remainder = false;
  SplitPart part{};  ///< of a split

  /// The state after a batch of the stream that begins at this one.
  LoaderState after(const Batch& batch) const;
};

class LoaderPlan;

/// Turns a data set into batches. A value: immutable but for its plan, which parts share; safe from many
/// threads. Every row comes exactly once an epoch, in an order that depends on data, features, seed, epoch
/// and buffer rows alone: not on threads or timing.
class Loader {
 public:
  /// Plans from metadata. Throws ConfigError (batch size, memory too small for the largest unit, with the
  /// figures), SchemaError, UnsupportedError.
  Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options);

  /// Loaders for disjoint parts of the rows: one for each fraction, in order. The fractions are of this
  /// loader's rows and sum to at most 1. Throws ConfigError, also where a part would get no file, or no rows
  /// in order.
  std::vector<Loader> split(const std::vector<double>& fractions, const SplitBy& by = {}) const;
  /// First the loader of the rows for which no condition is true; then for each condition the one of the rows
  /// for which it is the first that is. Throws SchemaError (not true or false for each entry), ConfigError.
  std::vector<Loader> split_where(const std::vector<std::string>& conditions) const;
  /// Training and validation loaders for each of `folds` folds: the rows of one part of equal parts are for
  /// validation, those of the others for training. Throws ConfigError: not 2 to 255, or fewer files.
  std::vector<std::pair<Loader, Loader>> k_fold(int64_t folds, const SplitBy& by = {}) const;

  /// A loader of these rows that gives those of each class, and of each bin of a class, as often as `balance`
  /// says: some are left out, some come several times; in the same number every epoch, each other rows, so
  /// that over epochs all rows of a class or bin come equally often. Counts them first, in one pass over the
  /// columns of `balance`; where the samples are the classes and there are no bins or parts, from metadata.
  /// Throws ConfigError (also where the loader is balanced already), SchemaError (not one number for each
  /// entry), and what reading throws, whatever `on_error` says. A balanced loader can't be split.
  Loader balance(const Balance& balance) const;

  const Dataset& dataset() const;
  /// With the definitions of the data set that they use: what a model is served with.
  const FeatureSpec& features() const;
  const std::vector<TensorInfo>& tensors() const;
  uint64_t seed() const;
  int64_t rank() const;
  int64_t world_size() const;
  /// Rows that come in an epoch of this rank. Exact; the first call on a part of a split evaluates the split
  /// for every entry; of a part by values or conditions it reads their columns. Throws ConfigError where
  /// ranks can't have as many batches, and what reading throws, whatever `on_error` says.
  int64_t num_rows() const;
  /// Batches in an epoch, as many on each rank.
  int64_t num_batches() const;
  Explanation explain() const;

  /// Starts reading an epoch. Each call has threads of its own, which end with the stream.
  std::unique_ptr<BatchStream> epoch(uint64_t number) const;

  /// The state before epoch `number`.
  LoaderState state(uint64_t number) const;
  /// This loader with the seed and the buffer rows of the state, which fix the order. Throws ConfigError
  /// where the state is of other data, features or options, or where a part of a split has another seed.
  Loader with_order_of(const LoaderState& state) const;
  /// The same place in the epoch as a state of this loader's rank, world size and batch size. A state of any
  /// rank will do, when all have delivered as many batches. Throws ConfigError as `resume`.
  LoaderState adopt(const LoaderState& state) const;
  /// The rest of the state's epoch: what `epoch` gives after that many batches, bit for bit, without reading
  /// what lies more than a window before. Where world size or batch size differ: the rows that no rank has
  /// delivered, once each (but for rows given after others were skipped for errors, which may come again), in
  /// an order of their own. Throws ConfigError as `with_order_of`, where seed or
  /// buffer rows differ, and where fewer rows than ranks are left.
  std::unique_ptr<BatchStream> resume(const LoaderState& state) const;

  /// One of `workers` processes that make this loader's batches together: a rank of its own, with its share
  /// of memory, buffer rows and threads.
  Loader share(int64_t worker, int64_t workers) const;

 private:
  Loader of_part(SplitPart part) const;
  Loader of_files(std::vector<size_t> files) const;
  Loader of_ranges(std::vector<EntryRange> ranges) const;
  Loader of_division(DivisionPart part) const;
  void require_unbalanced() const;
  void check(const LoaderState& state) const;
  std::unique_ptr<BatchStream> start(const LoaderState& from) const;
  Loader(std::shared_ptr<LoaderPlan> plan) : plan_(std::move(plan)) {}
  std::shared_ptr<LoaderPlan> plan_;
};

}  // namespace sapwood
