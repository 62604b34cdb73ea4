#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace sapwood {

/// Where buffers come from. Implementations are safe to call from any thread.
class MemoryPool {
 public:
  virtual ~MemoryPool() = default;
  /// Uninitialised memory, aligned to 64 bytes, of at least `size` bytes. Throws `std::bad_alloc`.
  virtual std::byte* allocate(size_t size) = 0;
  /// Takes back what `allocate(size)` gave.
  virtual void release(std::byte* data, size_t size) noexcept = 0;
};

/// The plain heap.
std::shared_ptr<MemoryPool> heap_pool();

/// The process's pool for results that users hold for as long as they like. It keeps up to 256 MiB of what
/// they have let go for the next result, since having the system clear fresh pages costs as much as decoding
/// into them.
std::shared_ptr<MemoryPool> result_pool();

/// A pool that keeps released blocks for the next request of like size, so that memory whose pages are
/// already mapped is used again, and large blocks sit on huge pages where the system grants them. It counts
/// what it holds: the figures behind the loader's memory bound.
class RecyclingPool final : public MemoryPool {
 public:
  /// Blocks kept for reuse are given back to the system when a new one would bring the bytes held above
  /// `limit`; the limit never refuses an allocation.
  explicit RecyclingPool(uint64_t limit = UINT64_MAX);
  ~RecyclingPool() override;
  std::byte* allocate(size_t size) override;
  void release(std::byte* data, size_t size) noexcept override;

  /// Bytes handed out and not yet released.
  uint64_t bytes_in_use() const;
  /// Bytes handed out plus bytes kept for reuse.
  uint64_t bytes_held() const;
  /// The largest `bytes_held()` so far.
  uint64_t peak_bytes_held() const;
  /// Gives blocks kept for reuse back to the system until at most `keep` bytes are held.
  void trim(uint64_t keep);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A pool for many blocks of one size: it carves them from huge pages of another pool, which get them back
/// when this pool goes. Requests of other sizes go to the other pool. A slab is a huge page, or smaller where
/// that would be too much beside `largest_slab`.
class SlabPool final : public MemoryPool {
 public:
  SlabPool(size_t block_size, std::shared_ptr<MemoryPool> upstream, size_t largest_slab = SIZE_MAX);
  ~SlabPool() override;
  std::byte* allocate(size_t size) override;
  void release(std::byte* data, size_t size) noexcept override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A shared, immutable-size run of bytes from a pool. Copies share the memory; the last one releases it to
/// its pool, which it keeps alive. Contents may be written until the buffer is shared.
class Buffer {
 public:
  Buffer() = default;
  /// `size` uninitialised bytes from `pool`.
  Buffer(size_t size, std::shared_ptr<MemoryPool> pool);
  /// Memory that somebody else owns: `owner` keeps it alive.
  static Buffer wrap(std::byte* data, size_t size, std::shared_ptr<void> owner);

  std::byte* data() const { return data_.get(); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// The same memory with fewer bytes in view; `size <= this->size()`.
  Buffer first(size_t size) const;

  /// The bytes as elements of type `T`; bytes past the last whole element are left out.
  template <class T>
  std::span<T> as() const {
    return {static_cast<T*>(static_cast<void*>(data_.get())), size_ / sizeof(T)};
  }

 private:
  std::shared_ptr<std::byte> data_;
  size_t size_ = 0;
};

/// Memory that is used again for one thing after the other, and grows where one is larger.
class ScratchBuffer {
 public:
  explicit ScratchBuffer(std::shared_ptr<MemoryPool> pool) : pool_(std::move(pool)) {}
  /// `size` bytes, until the next call; what they held before is lost.
  std::span<std::byte> get(size_t size) {
    if (buffer_.size() < size) {
      buffer_ = {};
      buffer_ = Buffer(size, pool_);
    }
    return {buffer_.data(), size};
  }

 private:
  std::shared_ptr<MemoryPool> pool_;
  Buffer buffer_;
};

}  // namespace sapwood
