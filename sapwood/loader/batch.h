#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sapwood/base/buffer.h"
#include "sapwood/base/error.h"
#include "sapwood/features/feature_spec.h"

namespace sapwood {

/// A row's place in an epoch, whose rows come sorted by it.
struct RowPlace {
  int64_t bucket = -1;  ///< of the shuffle window; -1: before all rows
  uint64_t key = 0;     ///< in the bucket
  auto operator<=>(const RowPlace&) const = default;
};

/// One batch: its tensors in the order of `Loader::tensors()`, each of `tensor_shape`, contiguous in C order.
/// A value that shares its memory, which goes back to the stream's pool with the last copy and lives on after
/// the stream.
struct Batch {
  int64_t number = 0;  ///< in the epoch, from 0
  int64_t rows = 0;
  std::vector<Buffer> tensors;
  RowPlace last_row{};
};

/// What a loader does where bytes are wrong (FormatError).
enum class OnError : uint8_t {
  kRaise,
  kSkip,  ///< leaves out the cluster, and says so
};

/// Entries that were left out.
struct SkippedRange {
  std::string file;
  EntryRange entries{};  ///< of the file
  std::string error;     ///< the first one
};

/// Where the time of an epoch went; seconds summed over threads.
struct LoaderStats {
  int64_t rows = 0;             ///< delivered
  int64_t batches = 0;          ///< delivered
  int64_t skipped_rows = 0;     ///< left out for errors, see `BatchStream::skipped`
  int64_t repeated_rows = 0;    ///< that came twice in place of those, so that ranks have as many batches
  uint64_t stored_bytes = 0;    ///< of what was read from files, but for units in which no row passes filters
  uint64_t peak_bytes = 0;      ///< largest size of the loader's memory so far, without batches
  double fetch_seconds = 0;     ///< reading files, but for what the system has in its cache
  double decode_seconds = 0;    ///< reading that, decompressing and decoding
  double stage_seconds = 0;     ///< writing rows into buckets
  double assemble_seconds = 0;  ///< sorting buckets and filling batches
  double idle_seconds = 0;      ///< workers waiting, for bytes, room or the consumer
  double consumer_wait_seconds = 0;  ///< `next` waiting for a batch
};

/// The batches of one epoch, made by threads of its own. Used by one thread, but for `cancel`.
/// A range: with `const auto stream = loader.epoch(0)`, `for (const Batch& batch : *stream)`.
class BatchStream {
 public:
  class Iterator;

  virtual ~BatchStream() = default;
  /// The next batch, or nothing at the end. With a timeout (seconds) returns `kNotReady` when it passes.
  /// Rethrows what failed in a worker; throws CancelledError after `cancel`.
  enum class Status { kBatch, kEnd, kNotReady };
  virtual Status next(Batch& batch, double timeout_seconds) = 0;
  std::optional<Batch> next();
  /// For range-for: each step is a call of `next`, the first one in `begin`, so that a loop takes what is
  /// left. A batch is let go before the next one is asked for; copy it to keep it.
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }
  /// Ends the epoch from any thread.
  virtual void cancel() = 0;
  virtual LoaderStats stats() const = 0;
  /// What has been left out so far.
  virtual std::vector<SkippedRange> skipped() const = 0;
};

/// An input iterator. It must not outlive its stream.
class BatchStream::Iterator {
 public:
  using value_type = Batch;
  using difference_type = std::ptrdiff_t;

  explicit Iterator(BatchStream& stream) : stream_(&stream), batch_(stream.next()) {}
  const Batch& operator*() const { return *batch_; }
  const Batch* operator->() const { return &*batch_; }
  Iterator& operator++() {
    batch_.reset();
    batch_ = stream_->next();
    return *this;
  }
  void operator++(int) { ++*this; }
  bool operator==(std::default_sentinel_t) const { return !batch_; }

 private:
  BatchStream* stream_;
  std::optional<Batch> batch_;
};

inline BatchStream::Iterator BatchStream::begin() { return Iterator(*this); }

}  // namespace sapwood
