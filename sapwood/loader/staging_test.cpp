#include "sapwood/loader/staging.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

namespace sapwood {
namespace {

std::vector<const std::byte*> ordered(SortedBucket& bucket, size_t step) {
  std::vector<const std::byte*> rows(bucket.size());
  for (size_t begin = 0; begin < bucket.size(); begin += step) {
    bucket.rows(begin, std::min(begin + step, bucket.size()), rows.data() + begin);
  }
  return rows;
}

TEST(Staging, SortsRowsOfSeveralWorkersByKey) {
  const auto pool = std::make_shared<RecyclingPool>();
  std::vector<WorkerStaging> workers;
  for (int w = 0; w < 3; ++w) workers.emplace_back(4, 4096, pool);
  std::mt19937_64 random(1);
  std::vector<std::pair<uint64_t, uint64_t>> expected;
  for (uint64_t position = 0; position < 20'000; ++position) {
    // Many that lie close together too, so that one part holds more than the others.
    const uint64_t key = position % 10 == 0 ? 77 + position : random() | 1u << 20;
    const size_t size = 8 + 8 * (position % 40);
    std::byte* row = workers[position % 3].append(2, size, key);
    std::memcpy(row, &position, sizeof(position));
    std::memset(row + 8, static_cast<int>(position & 0xff), size - 8);
    expected.emplace_back(key, position);
  }
  workers[0].append(3, 8, 1);  // of another bucket
  std::sort(expected.begin(), expected.end());

  std::vector<StagingChunk> chunks;
  for (WorkerStaging& worker : workers) {
    for (StagingChunk& chunk : worker.take(2)) chunks.push_back(std::move(chunk));
  }
  SortedBucket bucket(2, std::move(chunks), pool);
  ASSERT_EQ(bucket.size(), expected.size());
  const auto rows = ordered(bucket, 777);
  for (size_t i = 0; i < rows.size(); ++i) {
    uint64_t position = 0;
    std::memcpy(&position, rows[i], sizeof(position));
    ASSERT_EQ(position, expected[i].second);
  }
}

TEST(Staging, TakesRowsLargerThanAChunk) {
  const auto pool = std::make_shared<RecyclingPool>();
  WorkerStaging worker(1, 1024, pool);
  for (uint64_t i = 0; i < 5; ++i) std::memset(worker.append(0, 5000, i), 1, 5000);
  SortedBucket bucket(0, worker.take(0), pool);
  EXPECT_EQ(bucket.size(), 5u);
}

TEST(Staging, ReleasesMemoryWithTheBucket) {
  const auto pool = std::make_shared<RecyclingPool>();
  WorkerStaging worker(1, 65536, pool);
  for (uint64_t i = 0; i < 1000; ++i) worker.append(0, 64, i);
  EXPECT_GT(pool->bytes_in_use(), 64'000u);
  { const SortedBucket bucket(0, worker.take(0), pool); }
  EXPECT_EQ(pool->bytes_in_use(), 0u);
}

TEST(Staging, EmptyBucket) {
  SortedBucket bucket(0, {}, std::make_shared<RecyclingPool>());
  EXPECT_EQ(bucket.size(), 0u);
}

}  // namespace
}  // namespace sapwood
