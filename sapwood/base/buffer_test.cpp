#include "sapwood/base/buffer.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <set>
#include <thread>

namespace sapwood {
namespace {

constexpr size_t kPage = 4096;

TEST(RecyclingPool, UsesReleasedBlocksAgain) {
  RecyclingPool pool;
  for (const size_t size : {size_t{1}, size_t{1000}, size_t{200} << 10, size_t{5} << 20}) {
    std::byte* first = pool.allocate(size);
    std::memset(first, 1, size);
    pool.release(first, size);
    std::byte* again = pool.allocate(size);
    std::byte* other = pool.allocate(size);
    EXPECT_EQ(again, first) << size;
    EXPECT_NE(other, first) << size;
    pool.release(again, size);
    pool.release(other, size);
  }
}

TEST(RecyclingPool, AlignsTo64Bytes) {
  const auto pool = std::make_shared<RecyclingPool>();
  for (const size_t size : {size_t{0}, size_t{1}, size_t{65}, size_t{70000}}) {
    EXPECT_EQ(std::bit_cast<uintptr_t>(Buffer(size, pool).data()) % 64, 0u) << size;
  }
}

TEST(RecyclingPool, SpreadsMappedBlocksOverThePlacesOfAPage) {
  RecyclingPool pool;
  std::set<uintptr_t> places;
  for (int i = 0; i < 16; ++i)
    places.insert(std::bit_cast<uintptr_t>(pool.allocate(size_t{256} << 10)) % kPage);
  EXPECT_EQ(places.size(), 16u);
}

TEST(RecyclingPool, CountsWhatItHolds) {
  RecyclingPool pool;
  constexpr size_t kLarge = (size_t{1} << 20) + kPage;
  std::byte* small = pool.allocate(1024);
  std::byte* large = pool.allocate(1 << 20);
  EXPECT_EQ(pool.bytes_in_use(), 1024u + kLarge);
  EXPECT_EQ(pool.bytes_held(), pool.bytes_in_use());

  pool.release(large, 1 << 20);
  EXPECT_EQ(pool.bytes_in_use(), 1024u);
  EXPECT_EQ(pool.bytes_held(), 1024u + kLarge);

  pool.trim(4096);
  EXPECT_EQ(pool.bytes_held(), 1024u);
  EXPECT_EQ(pool.peak_bytes_held(), 1024u + kLarge);

  pool.release(small, 1024);
  EXPECT_EQ(pool.bytes_in_use(), 0u);
  pool.trim(0);
  EXPECT_EQ(pool.bytes_held(), 0u);
}

TEST(RecyclingPool, KeepsBlocksUpToItsLimit) {
  constexpr size_t kSize = size_t{4} << 20;
  constexpr size_t kHeld = kSize + kPage;
  RecyclingPool pool(kHeld);
  std::byte* first = pool.allocate(kSize);
  std::byte* second = pool.allocate(kSize);
  EXPECT_EQ(pool.bytes_held(), 2 * kHeld);
  pool.release(second, kSize);
  EXPECT_EQ(pool.bytes_held(), kHeld);
  pool.release(first, kSize);
  EXPECT_EQ(pool.bytes_held(), kHeld);

  std::byte* again = pool.allocate(kSize);
  EXPECT_EQ(again, first);
  pool.release(again, kSize);
}

TEST(RecyclingPool, LosesAtMostAnEighthToRounding) {
  for (const size_t size : {size_t{1000}, size_t{100001}, (size_t{3} << 20) + 1}) {
    RecyclingPool pool;
    pool.release(pool.allocate(size), size);
    EXPECT_GE(pool.bytes_held(), size);
    EXPECT_LE(pool.bytes_held(), size + size / 8 + 2 * kPage);
  }
}

TEST(RecyclingPool, IsSafeFromManyThreads) {
  const auto pool = std::make_shared<RecyclingPool>();
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&pool, thread] {
        for (size_t i = 0; i < 500; ++i) {
          const Buffer buffer(1 + (i * 7919) % 100000, pool);
          buffer.data()[0] = static_cast<std::byte>(thread);
        }
      });
    }
  }
  EXPECT_EQ(pool->bytes_in_use(), 0u);
  EXPECT_EQ(pool->peak_bytes_held(), pool->bytes_held());
}

TEST(Buffer, ReturnsItsMemoryWithTheLastCopy) {
  const auto pool = std::make_shared<RecyclingPool>();
  Buffer copy;
  {
    const Buffer buffer(100, pool);
    copy = buffer.first(10);
    EXPECT_EQ(copy.data(), buffer.data());
  }
  EXPECT_EQ(copy.size(), 10u);
  EXPECT_GT(pool->bytes_in_use(), 0u);
  copy = {};
  EXPECT_EQ(pool->bytes_in_use(), 0u);
}

TEST(Buffer, KeepsItsPoolAlive) {
  Buffer buffer;
  {
    auto pool = std::make_shared<RecyclingPool>();
    buffer = Buffer(100000, pool);
  }
  std::memset(buffer.data(), 1, buffer.size());
  EXPECT_EQ(buffer.as<uint16_t>().size(), 50000u);
  EXPECT_EQ(buffer.as<uint16_t>()[49999], 0x0101);
}

TEST(Buffer, WrapsWhatAnotherOwns) {
  const auto owner = std::make_shared<std::vector<std::byte>>(7);
  Buffer buffer = Buffer::wrap(owner->data(), owner->size(), owner);
  EXPECT_EQ(owner.use_count(), 2);
  EXPECT_EQ(buffer.data(), owner->data());
  EXPECT_EQ(buffer.as<uint32_t>().size(), 1u);  // bytes past the last whole element are left out
  buffer = {};
  EXPECT_EQ(owner.use_count(), 1);
}

}  // namespace
}  // namespace sapwood
