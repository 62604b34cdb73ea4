#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sapwood/dataset/dataset.h"

namespace sapwood {

/// Reads columns of `files` (ascending; all when empty) once and calls `visit` for each unit, from up to
/// `threads` threads: as many as hold `memory` bytes at most together (one at least), `work_bytes` of each
/// entry among them, which `visit` takes besides the columns.
void read_columns(
    const Dataset& dataset, const std::vector<std::string>& columns, std::span<const size_t> files,
    double work_bytes, size_t threads, uint64_t memory,
    const std::function<void(const Unit&, std::vector<Column>, const std::shared_ptr<MemoryPool>&)>& visit);

}  // namespace sapwood
