#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sapwood/dataset/fit.h"

namespace sapwood {

/// What a filter leaves.
struct Cut {
  std::string name;
  int64_t before = 0;  ///< rows that reach it
  int64_t after = 0;   ///< and pass
};

/// How many rows pass each filter of a data set, in order: one parallel pass over the filters' columns.
/// Throws what reading throws.
std::vector<Cut> cut_flow(const Dataset& dataset, const ScanOptions& options = {});

}  // namespace sapwood
