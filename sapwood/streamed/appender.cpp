#include "sapwood/streamed/appender.h"

#include <algorithm>

namespace sapwood::streamed {

void Appender::grow(size_t size) {
  Buffer larger(std::max<size_t>({used_ + size, buffer_.size() * 2, 1024}), pool_);
  if (used_ != 0) std::memcpy(larger.data(), buffer_.data(), used_);
  buffer_ = std::move(larger);
  data_ = buffer_.data();
  capacity_ = buffer_.size();
}

}  // namespace sapwood::streamed
