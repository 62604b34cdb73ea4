#pragma once

#include <cstdint>
#include <memory>

#include "sapwood/column/arrow_c_data.h"
#include "sapwood/column/column.h"

namespace sapwood {

/// Fills `schema` for a column of `type`; the consumer releases it.
void export_schema(const Type& type, const std::string& name, ArrowSchema* schema);

/// Fills `array` with the column's buffers, shared without a copy (bool is packed into bits). Lists and
/// strings are Arrow's large_list and large_string. The consumer releases it.
void export_array(const Column& column, ArrowArray* array);

/// Takes over `array` (it is released when the last buffer of the column goes, or when this throws) and reads
/// it as a column: primitives, (large) strings, (large) lists, fixed-size lists, structs. Buffers are shared
/// where the layouts agree: 32-bit offsets are widened, offsets of slices moved to start at 0, bits unpacked.
/// Nulls and other types: `UnsupportedError`; an array that contradicts itself or its schema: `FormatError`.
Column import_array(const ArrowSchema& schema, ArrowArray* array, const std::shared_ptr<MemoryPool>& pool);

}  // namespace sapwood
