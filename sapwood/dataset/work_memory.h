#pragma once

#include <memory>

#include "sapwood/base/buffer.h"

namespace sapwood {

/// Memory that a call passes through. The process keeps up to 64 MiB of it from one call to the next, for the
/// reason that `result_pool` keeps some; the rest goes back to the system with this object.
class WorkMemory {
 public:
  WorkMemory() = default;
  WorkMemory(const WorkMemory&) = delete;
  WorkMemory& operator=(const WorkMemory&) = delete;
  ~WorkMemory();
  const std::shared_ptr<MemoryPool>& pool() const { return pool_; }

 private:
  std::shared_ptr<MemoryPool> pool_ = shared_pool();
  static const std::shared_ptr<RecyclingPool>& shared_pool();
};

}  // namespace sapwood
