#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sapwood/column/reader.h"
#include "tests/fuzz/uncompressed_twin.h"

namespace sapwood::fuzz {

/// A file of tests/data, uncompressed, of which single baskets or pages are replaced by what a fuzzer makes
/// up: an input is the number of a region (uint16, little-endian) and the bytes to be written over its first
/// ones.
class Fixture {
 public:
  /// `what`: "basket", or "page", whose checksum is made to fit.
  Fixture(const std::string& path, const std::string& what);

  /// Reads columns that the region holds anything of.
  void read_with(const uint8_t* input, size_t size);
  /// An input for each region, which changes nothing.
  std::vector<std::vector<std::byte>> inputs() const;

 private:
  struct Column {
    const Reader* table = nullptr;
    size_t index = 0;
  };

  Twin twin_;
  std::vector<std::byte> bytes_;  // of the twin, changed
  bool has_checksums_;
  std::vector<std::shared_ptr<const Reader>> tables_;
  std::vector<std::vector<Column>> columns_;  // of each region
};

}  // namespace sapwood::fuzz
