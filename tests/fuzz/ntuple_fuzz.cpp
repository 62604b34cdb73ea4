#include <span>
#include <utility>

#include "tests/fuzz/read_tables.h"
#include "tests/fuzz/seal.h"

/// Input: a file. Every column of its trees and n-tuples is read, when the checksums are made to fit.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  std::vector<std::byte> file(bytes.begin(), bytes.end());
  sapwood::fuzz::seal_checksums(file);
  sapwood::fuzz::read_tables(std::move(file));
  return 0;
}
