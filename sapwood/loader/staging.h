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
  uint64_t key;
  const std::byte* row;
  bool operator<(const StagedRow& other) const { return key < other.key; }
};

/// A run of memory that rows of one bucket have filled from the front, and their index entries from the back.
struct StagingChunk {
  Buffer memory;
  std::span<const StagedRow> rows;  ///< in no particular order
};

/// The rows that one worker has staged, by bucket. No locks: a worker writes only its own, and a bucket is
/// taken away only when no unit can add to it any more.
class WorkerStaging {
 public:
  WorkerStaging(int64_t num_buckets, size_t chunk_bytes, std::shared_ptr<MemoryPool> pool);
  /// Room for a row of `size` bytes (a multiple of 8).
  std::byte* append(int64_t bucket, size_t size, uint64_t key) {
    Bucket& open = with_room(bucket, size + sizeof(StagedRow));
    std::byte* row = open.front;
    open.front += size;
    open.room -= size + sizeof(StagedRow);
    *--open.back = {key, row};
    __builtin_prefetch(open.front + 64, 1);
    __builtin_prefetch(open.front + 128, 1);
    __builtin_prefetch(open.back - 3, 1);
    return row;
  }
  /// A row that lies elsewhere, as long as it is wanted.
  void refer(int64_t bucket, const std::byte* row, uint64_t key) {
    Bucket& open = with_room(bucket, sizeof(StagedRow));
    open.room -= sizeof(StagedRow);
    *--open.back = {key, row};
  }
  std::vector<StagingChunk> take(int64_t bucket);

 private:
  struct Bucket {
    std::byte* front = nullptr;  // of what is free in the last chunk
    StagedRow* back = nullptr;
    size_t room = 0;
    std::vector<StagingChunk> chunks;
  };
  Bucket& with_room(int64_t bucket, size_t bytes) {
    Bucket& open = buckets_[static_cast<size_t>(bucket)];
    if (open.room < bytes) open_chunk(open, bytes);
    return open;
  }
  void open_chunk(Bucket& bucket, size_t bytes);
  static void close_chunk(Bucket& bucket);

  std::shared_ptr<MemoryPool> pool_;
  size_t chunk_bytes_;
  std::vector<Bucket> buckets_;
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
  /// How many rows come up to a place.
  size_t rows_up_to(const RowPlace& place);
  /// The place of a row that was asked for before.
  RowPlace place(size_t row) const;

 private:
  struct Part;
  int64_t number_;
  void sort(Part& part);
  std::vector<StagingChunk> chunks_;
  Buffer index_;
  size_t size_ = 0;
  std::unique_ptr<Part[]> parts_;
  int part_bits_ = 0;  // there are 2^part_bits_
};

}  // namespace sapwood
