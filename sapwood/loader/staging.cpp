#include "sapwood/loader/staging.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <numeric>
#include <utility>

namespace sapwood {
namespace {

constexpr size_t kRowsPerPart = 512;  // sorted at once, in the first-level cache
constexpr size_t kMostParts = 16384;

// Which of 2^bits equal ranges a key is in.
size_t range_of(uint64_t key, int bits) { return bits == 0 ? 0 : static_cast<size_t>(key >> (64 - bits)); }

// Rows of random keys whose first `known_bits` are the same: moved to about where they belong, by the next
// bits, then put in order there.
void sort_rows(std::span<StagedRow> rows, int known_bits) {
  constexpr size_t kMost = 4 * kRowsPerPart;
  if (rows.size() > kMost) return std::sort(rows.begin(), rows.end());
  const auto bits = static_cast<int>(std::bit_width(rows.size())) + 1;  // two ranges or more for each row
  std::array<uint16_t, 4 * kMost> ends;
  std::fill_n(ends.begin(), size_t{1} << bits, uint16_t{0});
  for (const StagedRow& row : rows) ++ends[range_of(row.key << known_bits, bits)];
  std::partial_sum(ends.begin(), ends.begin() + (std::ptrdiff_t{1} << bits), ends.begin());
  std::array<StagedRow, kMost> moved;
  for (const StagedRow& row : rows) moved[--ends[range_of(row.key << known_bits, bits)]] = row;
  for (size_t i = 0; i < rows.size(); ++i) {
    size_t at = i;
    for (; at > 0 && moved[i] < rows[at - 1]; --at) rows[at] = rows[at - 1];
    rows[at] = moved[i];
  }
}

}  // namespace

WorkerStaging::WorkerStaging(int64_t num_buckets, size_t chunk_bytes, std::shared_ptr<MemoryPool> pool)
    : pool_(std::move(pool)), chunk_bytes_(chunk_bytes), buckets_(static_cast<size_t>(num_buckets)) {}

void WorkerStaging::open_chunk(Bucket& bucket, size_t bytes) {
  close_chunk(bucket);
  const size_t whole =
      (bytes / sizeof(StagedRow) + 1) * sizeof(StagedRow);  // entries end where the chunk does
  bucket.chunks.push_back({Buffer(std::max(chunk_bytes_, whole), pool_), {}});
  const Buffer& memory = bucket.chunks.back().memory;
  const std::span<StagedRow> slots = memory.as<StagedRow>();
  bucket.front = memory.data();
  bucket.back = slots.data() + slots.size();
  bucket.room = slots.size_bytes();
}

void WorkerStaging::close_chunk(Bucket& bucket) {
  if (bucket.chunks.empty()) return;
  StagingChunk& chunk = bucket.chunks.back();
  const std::span<const StagedRow> slots = chunk.memory.as<const StagedRow>();
  chunk.rows = {bucket.back, slots.data() + slots.size()};
}

std::vector<StagingChunk> WorkerStaging::take(int64_t bucket) {
  Bucket& taken = buckets_[static_cast<size_t>(bucket)];
  close_chunk(taken);
  return std::exchange(taken, {}).chunks;
}

// Rows whose keys share their leading bits: index_[begin, end).
struct SortedBucket::Part {
  enum State : uint8_t { kUnsorted, kBeingSorted, kSorted };
  size_t begin = 0;
  size_t end = 0;
  // Not std::once_flag, which wakes waiters by a system call each time.
  std::atomic<State> state{kUnsorted};

  template <class Sort>
  void sort_once(const Sort& sort) {
    State now = state.load(std::memory_order_acquire);
    if (now == kUnsorted && state.compare_exchange_strong(now, kBeingSorted, std::memory_order_acquire)) {
      sort();
      state.store(kSorted, std::memory_order_release);
      state.notify_all();
      return;
    }
    while ((now = state.load(std::memory_order_acquire)) != kSorted)
      state.wait(now, std::memory_order_acquire);
  }
};

SortedBucket::~SortedBucket() = default;

SortedBucket::SortedBucket(int64_t number, std::vector<StagingChunk> chunks,
                           const std::shared_ptr<MemoryPool>& pool)
    : number_(number), chunks_(std::move(chunks)) {
  for (const StagingChunk& chunk : chunks_) size_ += chunk.rows.size();
  const size_t num_parts = std::min(kMostParts, std::bit_ceil(size_ / kRowsPerPart + 1));
  const int bits = part_bits_ = std::countr_zero(num_parts);

  std::vector<size_t> ends(num_parts);
  for (const StagingChunk& chunk : chunks_) {
    for (const StagedRow& row : chunk.rows) ++ends[range_of(row.key, bits)];
  }
  std::exclusive_scan(ends.begin(), ends.end(), ends.begin(), size_t{0});
  parts_ = std::make_unique<Part[]>(num_parts);
  for (size_t p = 0; p < num_parts; ++p) parts_[p].begin = ends[p];
  index_ = Buffer(size_ * sizeof(StagedRow), pool);
  const std::span<StagedRow> index = index_.as<StagedRow>();
  for (const StagingChunk& chunk : chunks_) {
    for (const StagedRow& row : chunk.rows) index[ends[range_of(row.key, bits)]++] = row;
  }
  for (size_t p = 0; p < num_parts; ++p) parts_[p].end = ends[p];
}

void SortedBucket::sort(Part& part) {
  const std::span<StagedRow> rows = index_.as<StagedRow>().subspan(part.begin, part.end - part.begin);
  part.sort_once([&] { sort_rows(rows, part_bits_); });
}

size_t SortedBucket::rows_up_to(const RowPlace& place) {
  if (place.bucket != number_) return place.bucket < number_ ? 0 : size_;
  Part& part = parts_[range_of(place.key, part_bits_)];
  sort(part);
  const auto rows = index_.as<const StagedRow>().subspan(part.begin, part.end - part.begin);
  const StagedRow at{place.key, nullptr};
  return part.begin + static_cast<size_t>(std::upper_bound(rows.begin(), rows.end(), at) - rows.begin());
}

void SortedBucket::rows(size_t begin, size_t end, const std::byte** out) {
  const std::span<StagedRow> index = index_.as<StagedRow>();
  Part* const stop = parts_.get() + (size_t{1} << part_bits_);
  Part* part = std::upper_bound(parts_.get(), stop, begin,
                                [](size_t row, const Part& each) { return row < each.end; });
  for (; part != stop && part->begin < end; ++part) {
    sort(*part);
    for (size_t i = std::max(begin, part->begin); i < std::min(end, part->end); ++i) *out++ = index[i].row;
  }
}

RowPlace SortedBucket::place(size_t row) const { return {number_, index_.as<const StagedRow>()[row].key}; }

}  // namespace sapwood
