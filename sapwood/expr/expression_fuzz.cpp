#include <cstdint>
#include <string>

#include "sapwood/expr/test_table.h"

/// Input: a formula, which is read, and evaluated where it fits the columns.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const sapwood::Table kTable =
      sapwood::three_entries().define("twice", "2 * pt").define("same", "twice").define("two", "2");
  try {
    kTable.evaluate(std::string(data, data + size));
  } catch (const sapwood::Error&) {
    // What most formulas are meant to give.
  }
  return 0;
}
