#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sapwood/column/reader.h"
#include "sapwood/root/file.h"

namespace sapwood::fuzz {

struct ReadOptions {
  int64_t most_entries = 1000;      ///< of a table: a few bytes can claim any number of zeros
  std::optional<uint64_t> place{};  ///< only columns that have a basket or page there
};

/// The trees and n-tuples of a file; of those that can't be opened none.
std::vector<std::shared_ptr<const Reader>> open_tables(const std::shared_ptr<const root::File>& file);

/// Reads a column's entries, all and those in the middle. Returns the error, nothing when they could be read.
/// What is no sapwood error escapes.
std::optional<std::string> read_column(const Reader& table, size_t column, const ReadOptions& options = {});

/// The same of every column of every tree and n-tuple of a file. Returns the first error.
std::optional<std::string> read_tables(std::vector<std::byte> file, const ReadOptions& options = {});

}  // namespace sapwood::fuzz
