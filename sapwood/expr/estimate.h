#pragma once

#include <span>
#include <vector>

#include "sapwood/expr/program.h"

namespace sapwood::expr {

/// For each step the mean number of elements per entry, from that of each column. Lists that a step leaves
/// shorter count as long as before; combinations are as many as those of lists of widely spread sizes.
std::vector<double> values_per_entry(const Program& program, std::span<const double> of_columns);

/// The most bytes per entry that running it holds besides the columns, the results included.
double work_bytes(const Program& program, std::span<const double> of_columns);

}  // namespace sapwood::expr
