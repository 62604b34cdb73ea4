#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "sapwood/base/buffer.h"
#include "sapwood/base/cursor.h"
#include "sapwood/rntuple/column_type.h"

namespace sapwood::rntuple {

/// Memory that is used again for one page after the other.
class PageScratch {
 public:
  explicit PageScratch(std::shared_ptr<MemoryPool> pool) : pool_(std::move(pool)) {}

  std::byte* packed(size_t size) { return grown(packed_, size); }
  std::byte* decoded(size_t size) { return grown(decoded_, size); }
  std::byte* partial(size_t size) { return grown(partial_, size); }

 private:
  std::byte* grown(Buffer& buffer, size_t size) {
    if (buffer.size() < size) buffer = Buffer(size, pool_);
    return buffer.data();
  }

  std::shared_ptr<MemoryPool> pool_;
  Buffer packed_;
  Buffer decoded_;
  Buffer partial_;
};

/// Decompresses a page of `count` elements and decodes it to values of `kind`, which the column's encoding
/// `decodes_to`. `out` has room for all of them. Throws FormatError.
void decode_page(const ColumnDescription& column, const Encoding& encoding, Bytes stored, size_t count,
                 TypeKind kind, std::byte* out, PageScratch& scratch);

/// The same for a page of an index column; `base` is added to each.
void decode_index_page(const Encoding& encoding, Bytes stored, size_t count, int64_t base, int64_t* out,
                       PageScratch& scratch);

}  // namespace sapwood::rntuple
