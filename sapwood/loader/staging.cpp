#include "sapwood/loader/staging.h"

#include <algorithm>
#include <bit>
#include <mutex>
#include <utility>

namespace sapwood {
namespace {

constexpr size_t kRowsPerPart = 32;  // sorted at once, in the first-level cache
constexpr size_t kMostParts = 16384;

}  // namespace

StagingChunk::StagingChunk(size_t bytes, const std::shared_ptr<MemoryPool>& pool) : memory_(bytes, pool) {}

std::byte* StagingChunk::append(size_t size, uint64_t key, uint64_t position) {
  const std::span<StagedRow> slots = memory_.as<StagedRow>();
  if (used_ + size + (count_ + 1) * sizeof(StagedRow) > slots.size_bytes()) return nullptr;
  std::byte* row = memory_.data() + used_;
  used_ += size;
  ++count_;
  slots[slots.size() - count_] = {key, position, row};
  return row;
}

std::span<const StagedRow> StagingChunk::rows() const { return memory_.as<const StagedRow>().last(count_); }

WorkerStaging::WorkerStaging(int64_t num_buckets, size_t chunk_bytes, std::shared_ptr<MemoryPool> pool)
    : pool_(std::move(pool)), chunk_bytes_(chunk_bytes), buckets_(static_cast<size_t>(num_buckets)) {}

std::byte* WorkerStaging::append(int64_t bucket, size_t size, uint64_t key, uint64_t position) {
  std::vector<StagingChunk>& chunks = buckets_[static_cast<size_t>(bucket)];
  if (!chunks.empty()) {
    if (std::byte* row = chunks.back().append(size, key, position)) return row;
  }
  const size_t room = (size / sizeof(StagedRow) + 2) * sizeof(StagedRow);  // one row with its index entry
  chunks.emplace_back(std::max(chunk_bytes_, room), pool_);
  return chunks.back().append(size, key, position);
}

std::vector<StagingChunk> WorkerStaging::take(int64_t bucket) {
  return std::exchange(buckets_[static_cast<size_t>(bucket)], {});
}

// Rows whose keys share their leading bits: index_[begin, end).
struct SortedBucket::Part {
  size_t begin = 0;
  size_t end = 0;
  std::once_flag sorted;
};

SortedBucket::~SortedBucket() = default;

SortedBucket::SortedBucket(int64_t number, std::vector<StagingChunk> chunks,
                           const std::shared_ptr<MemoryPool>& pool)
    : number_(number), chunks_(std::move(chunks)) {
  for (const StagingChunk& chunk : chunks_) size_ += chunk.rows().size();
  num_parts_ = std::min(kMostParts, std::bit_ceil(size_ / kRowsPerPart + 1));
  const int shift = 64 - std::countr_zero(num_parts_);
  const auto part_of = [&](const StagedRow& row) {
    return num_parts_ == 1 ? 0 : static_cast<size_t>(row.key >> shift);
  };

  parts_ = std::make_unique<Part[]>(num_parts_);
  for (const StagingChunk& chunk : chunks_) {
    for (const StagedRow& row : chunk.rows()) ++parts_[part_of(row)].end;
  }
  size_t begin = 0;
  for (size_t p = 0; p < num_parts_; ++p) {
    const size_t count = parts_[p].end;
    parts_[p].begin = parts_[p].end = begin;
    begin += count;
  }
  index_ = Buffer(size_ * sizeof(StagedRow), pool);
  const std::span<StagedRow> index = index_.as<StagedRow>();
  for (const StagingChunk& chunk : chunks_) {
    for (const StagedRow& row : chunk.rows()) index[parts_[part_of(row)].end++] = row;
  }
}

void SortedBucket::rows(size_t begin, size_t end, const std::byte** out) {
  const std::span<StagedRow> index = index_.as<StagedRow>();
  const auto after = std::upper_bound(parts_.get(), parts_.get() + num_parts_, begin,
                                      [](size_t row, const Part& part) { return row < part.end; });
  for (Part* part = after; part != parts_.get() + num_parts_ && part->begin < end; ++part) {
    const auto first = index.begin() + static_cast<std::ptrdiff_t>(part->begin);
    const auto last = index.begin() + static_cast<std::ptrdiff_t>(part->end);
    std::call_once(part->sorted, [&] { std::sort(first, last); });
    for (size_t i = std::max(begin, part->begin); i < std::min(end, part->end); ++i) *out++ = index[i].row;
  }
}

RowPlace SortedBucket::place(size_t row) const {
  const StagedRow& staged = index_.as<const StagedRow>()[row];
  return {number_, staged.key, staged.position};
}

}  // namespace sapwood
