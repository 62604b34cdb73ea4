#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "sapwood/column/column.h"
#include "sapwood/expr/program.h"

namespace sapwood::expr {

/// Runs a program; what `Expression::evaluate` does.
Column evaluate(const Program& program, std::span<const Column> columns, int64_t num_entries,
                const std::shared_ptr<MemoryPool>& pool);

}  // namespace sapwood::expr
