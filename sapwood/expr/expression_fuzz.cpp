#include <cstdint>
#include <new>
#include <string>

#include "sapwood/expr/test_table.h"

namespace {

// Formulas may make far more items than there is memory for.
class SmallPool final : public sapwood::MemoryPool {
 public:
  std::byte* allocate(size_t size) override {
    if (size > kLargest) throw std::bad_alloc();
    return sapwood::heap_pool()->allocate(size);
  }
  void release(std::byte* data, size_t size) noexcept override { sapwood::heap_pool()->release(data, size); }

 private:
  static constexpr size_t kLargest = size_t{1} << 24;
};

}  // namespace

/// Input: a formula, which is read, and evaluated where it fits the columns.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const sapwood::Table kTable =
      sapwood::three_entries().define("twice", "2 * pt").define("same", "twice").define("two", "2");
  static const auto kPool = std::make_shared<SmallPool>();
  try {
    kTable.evaluate(std::string(data, data + size), kPool);
  } catch (const sapwood::Error&) {
    // What most formulas are meant to give.
  } catch (const std::bad_alloc&) {
    // Of the pool above.
  }
  return 0;
}
