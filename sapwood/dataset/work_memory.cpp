#include "sapwood/dataset/work_memory.h"

namespace sapwood {
namespace {

constexpr uint64_t kKeptBytes = uint64_t{64} << 20;

}  // namespace

const std::shared_ptr<RecyclingPool>& WorkMemory::shared_pool() {
  static const auto pool = std::make_shared<RecyclingPool>();
  return pool;
}

WorkMemory::~WorkMemory() { shared_pool()->trim(kKeptBytes); }

}  // namespace sapwood
