#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sapwood/base/buffer.h"
#include "sapwood/features/row_format.h"
#include "sapwood/loader/batch.h"

namespace sapwood {

/// Staged rows as batches of `batch_rows` rows each: with rows and tensors, whose numbers and places are the
/// caller's. One allocation holds each tensor of all of them, which share it. Throws
/// ConfigError as `RowFormat::tensor_bytes`.
std::vector<Batch> make_batches(const RowFormat& format, std::span<const std::byte* const> rows,
                                std::span<const int64_t> batch_rows, const std::shared_ptr<MemoryPool>& pool);

}  // namespace sapwood
