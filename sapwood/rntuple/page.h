#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "sapwood/base/buffer.h"
#include "sapwood/base/cursor.h"
#include "sapwood/rntuple/column_type.h"

namespace sapwood::rntuple {

/// Memory that is used again for one page after the other.
struct PageScratch {
  explicit PageScratch(const std::shared_ptr<MemoryPool>& pool)
      : stored(pool), packed(pool), decoded(pool), partial(pool) {}

  ScratchBuffer stored;
  ScratchBuffer packed;
  ScratchBuffer decoded;
  ScratchBuffer partial;
};

/// Decompresses a page of `count` elements and decodes it to values of `kind`, which the column's encoding
/// `decodes_to`. `out` has room for all of them. Throws FormatError.
void decode_page(const ColumnDescription& column, const Encoding& encoding, Bytes stored, size_t count,
                 TypeKind kind, std::byte* out, PageScratch& scratch);

/// The same for a page of an index column; `base` is added to each.
void decode_index_page(const Encoding& encoding, Bytes stored, size_t count, int64_t base, int64_t* out,
                       PageScratch& scratch);

}  // namespace sapwood::rntuple
