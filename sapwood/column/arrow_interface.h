#pragma once

#include <cstdint>
#include <memory>

#include "sapwood/column/column.h"

// The Arrow C data interface, as its specification lays it down
// (https://arrow.apache.org/docs/format/CDataInterface.html).
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
extern "C" {
struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};
struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};
}
#endif

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
