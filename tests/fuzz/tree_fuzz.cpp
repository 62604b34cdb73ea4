#include <span>

#include "tests/fuzz/read_tables.h"

/// Input: a file. Every column of its trees and n-tuples is read.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  sapwood::fuzz::read_tables({bytes.begin(), bytes.end()});
  return 0;
}
