#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sapwood/base/buffer.h"
#include "sapwood/loader/batch.h"

namespace sapwood {

/// A staged row: its place in its bucket, and where it lies.
struct StagedRow {
  uint64_t key = 0;
  uint64_t position = 0;  ///< in the stream: parts rows of equal keys
  const std::byte* row = nullptr;
  bool operator<(const StagedRow& other) const {
    return key != other.key ? key < other.key : position < other.position;
  }
};

/// A run of memory that rows of one bucket fill from the front, and their index entries from the back.
class StagingChunk {
 public:
  StagingChunk(size_t bytes, const std::shared_ptr<MemoryPool>& pool);
  /// Room for a row of `size` bytes (a multiple of 8), or null when the chunk is full.
  std::byte* append(size_t size, uint64_t key, uint64_t position);
  /// In no particular order.
  std::span<const StagedRow> rows() const;

 private:
  Buffer memory_;
  size_t used_ = 0;
  size_t count_ = 0;
};

/// The rows that one worker has staged, by bucket. No locks: a worker writes only its own, and a bucket is
/// taken away only when no unit can add to it any more.
class WorkerStaging {
 public:
  WorkerStaging(int64_t num_buckets, size_t chunk_bytes, std::shared_ptr<MemoryPool> pool);
  std::byte* append(int64_t bucket, size_t size, uint64_t key, uint64_t position);
  std::vector<StagingChunk> take(int64_t bucket);

 private:
  std::shared_ptr<MemoryPool> pool_;
  size_t chunk_bytes_;
  std::vector<std::vector<StagingChunk>> buckets_;
};

/// A complete bucket whose rows can be asked for in their final order. Sorting is split by the key's leading
/// bits and done as ranges are asked for, by whichever thread asks first; safe from many threads.
class SortedBucket {
 public:
  SortedBucket(int64_t number, std::vector<StagingChunk> chunks, const std::shared_ptr<MemoryPool>& pool);
  ~SortedBucket();
  int64_t number() const { return number_; }
  size_t size() const { return size_; }
  /// Writes the addresses of rows [begin, end) of the order to `out`.
  void rows(size_t begin, size_t end, const std::byte** out);
  /// The place of a row that was asked for before.
  RowPlace place(size_t row) const;

 private:
  struct Part;
  int64_t number_;
  std::vector<StagingChunk> chunks_;
  Buffer index_;
  size_t size_ = 0;
  std::unique_ptr<Part[]> parts_;
  size_t num_parts_ = 0;
};

}  // namespace sapwood
