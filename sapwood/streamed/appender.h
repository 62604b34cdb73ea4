#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "sapwood/base/buffer.h"

namespace sapwood::streamed {

/// A buffer that grows.
class Appender {
 public:
  explicit Appender(std::shared_ptr<MemoryPool> pool) : pool_(std::move(pool)) {}
  /// Room for `size` more bytes, to be written by the caller.
  std::byte* extend(size_t size) {
    if (size > capacity_ - used_) grow(size);
    std::byte* const place = data_ + used_;
    used_ += size;
    return place;
  }
  void append_offset(int64_t value) { std::memcpy(extend(sizeof value), &value, sizeof value); }
  /// Room for so many more, which `resize` may take for used.
  void reserve(size_t size) {
    if (size > capacity_ - used_) grow(size);
  }
  /// Where so many bytes may be written behind `used` ones, of which `resize` will tell at last.
  std::byte* place(size_t used, size_t size) {
    if (size > capacity_ - used) {
      used_ = used;
      grow(size);
    }
    return data_ + used;
  }
  void resize(size_t size) { used_ = size; }
  std::byte* data() const { return data_; }
  size_t capacity() const { return capacity_; }
  size_t size() const { return used_; }
  Buffer take() { return buffer_.empty() ? Buffer(0, pool_) : buffer_.first(used_); }

 private:
  void grow(size_t size);

  std::shared_ptr<MemoryPool> pool_;
  Buffer buffer_;
  std::byte* data_ = nullptr;
  size_t capacity_ = 0;
  size_t used_ = 0;
};

}  // namespace sapwood::streamed
