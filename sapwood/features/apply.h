#pragma once

#include <memory>
#include <vector>

#include "sapwood/features/row_format.h"

namespace sapwood {

/// Tensors for entries that are in memory: what the loader makes of a unit's columns, in order. `columns` are
/// those of `format.columns()`, in that order and of equal length; the result has the order of
/// `format.tensors()`, each of `tensor_shape`, contiguous. Throws SchemaError when types, lengths or
/// multiplicities differ from what is wanted, ConfigError as `RowFormat::tensor_bytes`.
std::vector<Buffer> make_tensors(const RowFormat& format, std::vector<Column> columns,
                                 const std::shared_ptr<MemoryPool>& pool);

}  // namespace sapwood
