#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/fuzz/uncompressed_twin.h"

namespace sapwood::fuzz {

/// A file of tests/data, uncompressed, of which single baskets or pages are replaced by what a fuzzer makes
/// up: an input is the number of a region (uint16, little-endian) and the bytes to be written over its first
/// ones.
class Fixture {
 public:
  /// `what`: as `Region::what`.
  Fixture(const std::string& path, const char* what);

  /// The file with an input in it; nothing for one that is too short. Sets `place` to that of the region.
  std::vector<std::byte> with(const uint8_t* input, size_t size, uint64_t& place) const;
  /// An input for each region, which changes nothing.
  std::vector<std::vector<std::byte>> inputs() const;

 private:
  Twin twin_;
};

}  // namespace sapwood::fuzz
