#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sapwood::fuzz {

struct ReadOptions {
  int64_t most_entries = 1000;      ///< of a table: a few bytes can claim any number of zeros
  std::optional<uint64_t> place{};  ///< only columns that have a basket or page there
};

/// Reads every column of every tree and n-tuple of a file, whole and from the middle. Returns the first
/// error, nothing when all could be read. What is no sapwood error escapes.
std::optional<std::string> read_tables(std::vector<std::byte> file, const ReadOptions& options = {});

}  // namespace sapwood::fuzz
