#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sapwood/column/column.h"
#include "sapwood/expr/program.h"

namespace sapwood::expr {

/// Runs a program: the results of its formulas for `num_entries` entries, whose `columns` are those of the
/// program. Throws SchemaError as `Expression::evaluate`. Where the entries are those of a range that are
/// `kept`, errors tell their places in that range.
std::vector<Column> evaluate(const Program& program, std::span<const Column> columns, int64_t num_entries,
                             const std::shared_ptr<MemoryPool>& pool, std::span<const uint8_t> kept = {});

}  // namespace sapwood::expr
