#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sapwood/dataset/dataset.h"
#include "sapwood/features/feature_spec.h"
#include "sapwood/loader/batch.h"

namespace sapwood {

struct LoaderOptions {
  FeatureSpec features{};
  int64_t batch_size = 1024;
  bool shuffle = true;
  std::optional<uint64_t> seed{};        ///< drawn, and reported, when not given
  uint64_t memory = uint64_t{1} << 30;   ///< bytes that the loader may hold besides delivered batches
  size_t threads = 0;                    ///< 0: as many as there are processors
  bool drop_remainder = false;           ///< leave out the last batch when it is not full
  std::optional<int64_t> buffer_rows{};  ///< rows of the shuffle buffer; from `memory` when not given
};

/// What a loader will do, known before anything but metadata is read.
struct Explanation {
  int64_t rows = 0;
  int64_t entries = 0;
  int64_t files = 0;
  int64_t clusters = 0;
  int64_t units = 0;
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
  double expected_lift =
      1;  ///< chance that two rows of a batch come from one unit, over a full permutation's
  double expected_repeat = 1;  ///< chance that two rows of a batch share one again next epoch, over random
  uint64_t memory = 0;
  uint64_t staging_bytes = 0;  ///< share of `memory` for the shuffle buffer
  uint64_t unit_bytes = 0;     ///< for units that are read ahead or being decoded
  uint64_t ready_bytes = 0;    ///< for batches not fetched yet

  /// A table for people.
  std::string to_string() const;
};

/// Where a loader stands in an epoch, and what fixes the order of its rows. Plain data, to be kept in
/// checkpoints: it is as good on another machine, with other threads, memory, or paths of the same files.
struct LoaderState {
  uint64_t seed = 0;
  uint64_t epoch = 0;
  int64_t batches = 0;  ///< delivered in the epoch
  RowPlace last_row{};  ///< of the last delivered batch
  int64_t buffer_rows = 0;
  uint64_t data = 0;      ///< hash of files' entries, how they are cut, samples
  uint64_t features = 0;  ///< hash of the specification
  int64_t batch_size = 0;
  bool shuffle = true;
  bool drop_remainder = false;
  double part_low = 0;  ///< the part of a split
  double part_high = 1;
};

/// Turns a data set into batches. A value: immutable but for its plan, which parts share; safe from many
/// threads. Every row comes exactly once an epoch, in an order that depends on data, features, seed, epoch
/// and buffer rows alone: not on threads or timing.
class Loader {
 public:
  /// Plans from metadata. Throws ConfigError (batch size, memory too small for the largest unit, with the
  /// figures), SchemaError, UnsupportedError.
  Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options);

  /// Loaders for disjoint parts of the rows, drawn row by row with the seed: one for each fraction, in order.
  /// The fractions are of this loader's rows and sum to at most 1.
  std::vector<Loader> split(const std::vector<double>& fractions) const;

  const Dataset& dataset() const;
  const std::vector<TensorInfo>& tensors() const;
  uint64_t seed() const;
  /// Exact; the first call on a part of a split evaluates the split for every entry (no data is read).
  int64_t num_rows() const;
  int64_t num_batches() const;
  Explanation explain() const;

  /// Starts reading an epoch. Each call has threads of its own, which end with the stream.
  std::unique_ptr<BatchStream> epoch(uint64_t number) const;

  /// The state before epoch `number`, or in it after `batch`.
  LoaderState state(uint64_t number) const;
  LoaderState state(uint64_t number, const Batch& batch) const;
  /// This loader with the seed and the buffer rows of the state, which fix the order. Throws ConfigError
  /// where the state is of other data, features or options, or where a part of a split has another seed.
  Loader with_order_of(const LoaderState& state) const;
  /// The rest of the state's epoch: what `epoch` gives after that many batches, bit for bit, without reading
  /// what lies more than a window before. Throws ConfigError as `with_order_of`, and where seed or buffer
  /// rows differ.
  std::unique_ptr<BatchStream> resume(const LoaderState& state) const;

 private:
  struct Plan;
  void check(const LoaderState& state) const;
  std::unique_ptr<BatchStream> start(uint64_t number, int64_t first_batch, const RowPlace& after) const;
  Loader(std::shared_ptr<Plan> plan) : plan_(std::move(plan)) {}
  std::shared_ptr<Plan> plan_;
};

}  // namespace sapwood
