#include "sapwood/base/buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <map>
#include <new>

namespace sapwood {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kPage = 4096;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kMappedFrom = size_t{64} << 10;  // smaller blocks come from the heap

// Eight sizes for each power of two: at most an eighth is lost to rounding.
size_t size_class(size_t size) {
  size = std::max(size, kAlignment);
  const size_t step = std::max(kAlignment, std::bit_floor(size) / 8);
  const size_t rounded = (size + step - 1) / step * step;
  return rounded >= kMappedFrom ? (rounded + kPage - 1) / kPage * kPage + kPage : rounded;
}

// Mapped blocks begin at different places of their first page: else equal places of many columns, which are
// read together, would share the few lines of one set of the first-level cache.
size_t next_place_in_page() {
  static std::atomic<size_t> next{0};
  return next.fetch_add(kAlignment, std::memory_order_relaxed) % kPage;
}

// Large blocks start in a huge page, since the system grants those only whole; what is mapped too much is
// given back.
std::byte* map_block(size_t size) {
  const size_t slack = size >= kHugePage ? kHugePage : 0;
  void* memory = mmap(nullptr, size + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  auto* begin = static_cast<std::byte*>(memory);
  if (slack == 0) return begin + next_place_in_page();
  void* aligned = memory;
  size_t space = size + slack;
  std::align(kHugePage, size, aligned, space);
  auto* data = static_cast<std::byte*>(aligned);
  if (data != begin) munmap(begin, static_cast<size_t>(data - begin));
  if (space != size) munmap(data + size, space - size);
  madvise(data, size, MADV_HUGEPAGE);
  return data + next_place_in_page();
}

// Blocks of a size that `size_class` gave.
std::byte* allocate_block(size_t size) {
  if (size >= kMappedFrom) return map_block(size);
  void* memory = std::aligned_alloc(kAlignment, size);
  if (memory == nullptr) throw std::bad_alloc();
  return static_cast<std::byte*>(memory);
}

void free_block(std::byte* data, size_t size) noexcept {
  if (size >= kMappedFrom) {
    munmap(data - std::bit_cast<uintptr_t>(data) % kPage, size);
  } else {
    std::free(data);
  }
}

class HeapPool final : public MemoryPool {
 public:
  std::byte* allocate(size_t size) override {
    void* memory = std::aligned_alloc(kAlignment, size_class(size));
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<std::byte*>(memory);
  }
  void release(std::byte* data, size_t) noexcept override { std::free(data); }
};

}  // namespace

std::shared_ptr<MemoryPool> heap_pool() { return std::make_shared<HeapPool>(); }

std::shared_ptr<MemoryPool> result_pool() {
  constexpr uint64_t kLimit = uint64_t{256} << 20;
  static const auto pool = std::make_shared<RecyclingPool>(kLimit);
  return pool;
}

struct RecyclingPool::State {
  mutable std::mutex mutex;
  std::map<size_t, std::vector<std::byte*>> kept;
  uint64_t in_use = 0;
  uint64_t held = 0;
  uint64_t peak = 0;
  uint64_t limit = 0;

  void trim(uint64_t keep) {
    while (held > keep && !kept.empty()) {
      const auto largest = std::prev(kept.end());
      free_block(largest->second.back(), largest->first);
      held -= largest->first;
      largest->second.pop_back();
      if (largest->second.empty()) kept.erase(largest);
    }
  }
};

RecyclingPool::RecyclingPool(uint64_t limit) : state_(std::make_unique<State>()) { state_->limit = limit; }

RecyclingPool::~RecyclingPool() { trim(0); }

std::byte* RecyclingPool::allocate(size_t requested) {
  const size_t size = size_class(requested);
  {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->kept.find(size);
    if (found != state_->kept.end()) {
      std::byte* data = found->second.back();
      found->second.pop_back();
      if (found->second.empty()) state_->kept.erase(found);
      state_->in_use += size;
      return data;
    }
    state_->trim(state_->limit > size ? state_->limit - size : 0);
  }
  std::byte* data = allocate_block(size);
  const std::lock_guard lock(state_->mutex);
  state_->in_use += size;
  state_->held += size;
  state_->peak = std::max(state_->peak, state_->held);
  return data;
}

void RecyclingPool::release(std::byte* data, size_t requested) noexcept {
  const size_t size = size_class(requested);
  const std::lock_guard lock(state_->mutex);
  state_->in_use -= size;
  if (state_->held <= state_->limit) {
    try {
      state_->kept[size].push_back(data);
      return;
    } catch (const std::bad_alloc&) {  // no room to keep it: the system gets it back
    }
  }
  free_block(data, size);
  state_->held -= size;
}

uint64_t RecyclingPool::bytes_in_use() const {
  const std::lock_guard lock(state_->mutex);
  return state_->in_use;
}

uint64_t RecyclingPool::bytes_held() const {
  const std::lock_guard lock(state_->mutex);
  return state_->held;
}

uint64_t RecyclingPool::peak_bytes_held() const {
  const std::lock_guard lock(state_->mutex);
  return state_->peak;
}

void RecyclingPool::trim(uint64_t keep) {
  const std::lock_guard lock(state_->mutex);
  state_->trim(keep);
}

struct SlabPool::State {
  size_t block_size = 0;
  size_t slab_size = 0;
  std::shared_ptr<MemoryPool> upstream;
  std::mutex mutex;
  std::vector<std::byte*> slabs;
  std::vector<std::byte*> free;
};

SlabPool::SlabPool(size_t block_size, std::shared_ptr<MemoryPool> upstream, size_t largest_slab)
    : state_(std::make_unique<State>()) {
  state_->block_size = block_size;
  state_->slab_size = std::max(std::min(kHugePage, largest_slab), block_size);
  state_->upstream = std::move(upstream);
}

SlabPool::~SlabPool() {
  for (std::byte* slab : state_->slabs) state_->upstream->release(slab, state_->slab_size);
}

std::byte* SlabPool::allocate(size_t size) {
  State& state = *state_;
  if (size != state.block_size) return state.upstream->allocate(size);
  const std::lock_guard lock(state.mutex);
  if (state.free.empty()) {
    state.slabs.reserve(state.slabs.size() + 1);
    const size_t blocks = state.slab_size / state.block_size;
    state.free.reserve((state.slabs.size() + 1) * blocks);  // so that `release` never has to allocate
    std::byte* slab = state.upstream->allocate(state.slab_size);
    state.slabs.push_back(slab);
    for (size_t i = blocks; i > 0; --i) state.free.push_back(slab + (i - 1) * state.block_size);
  }
  std::byte* block = state.free.back();
  state.free.pop_back();
  return block;
}

void SlabPool::release(std::byte* data, size_t size) noexcept {
  if (size != state_->block_size) return state_->upstream->release(data, size);
  const std::lock_guard lock(state_->mutex);
  state_->free.push_back(data);
}

Buffer::Buffer(size_t size, std::shared_ptr<MemoryPool> pool) : size_(size) {
  MemoryPool& source = *pool;
  data_ = std::shared_ptr<std::byte>(
      source.allocate(size), [pool = std::move(pool), size](std::byte* data) { pool->release(data, size); });
}

Buffer Buffer::wrap(std::byte* data, size_t size, std::shared_ptr<void> owner) {
  Buffer buffer;
  buffer.data_ = std::shared_ptr<std::byte>(std::move(owner), data);
  buffer.size_ = size;
  return buffer;
}

Buffer Buffer::first(size_t size) const {
  Buffer view = *this;
  view.size_ = size < size_ ? size : size_;
  return view;
}

}  // namespace sapwood
