#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sapwood/base/buffer.h"
#include "sapwood/base/error.h"
#include "sapwood/column/type.h"

namespace sapwood {

/// One column of decoded data in Arrow layout. A value: copies share the buffers, which nobody writes any
/// more.
///
///  kind        values                     offsets                     children
///  primitive   length elements            -                           -
///  kString     the characters             int64[length + 1], from 0   -
///  kList       -                          int64[length + 1], from 0   1, of length offsets[length]
///  kFixedList  -                          -                           1, of length length * fixed_size
///  kStruct     -                          -                           each of length `length`
struct Column {
  Type type{};
  int64_t length = 0;
  Buffer values{};
  Buffer offsets{};
  std::vector<Column> children{};

  const Column& item() const { return children.front(); }
  std::span<const int64_t> offset_span() const { return offsets.as<const int64_t>(); }
  /// Bytes of all buffers, below too.
  uint64_t byte_size() const;
};

/// Bytes of the offsets of so many lists or strings.
constexpr size_t offsets_size(int64_t length) { return (static_cast<size_t>(length) + 1) * sizeof(int64_t); }

/// An uninitialised column for `length` entries of a type of fixed width (primitive or fixed list of such).
Column make_fixed_width_column(const Type& type, int64_t length, const std::shared_ptr<MemoryPool>& pool);
/// The same over memory that is already there; `values` holds `length * fixed_entry_size(type)` bytes.
Column make_fixed_width_column(const Type& type, int64_t length, Buffer values);
/// The innermost values of a column of fixed width.
Buffer fixed_width_values(const Column& column);

/// The columns one after another, as one; all of one type, and at least one.
Column concatenate(std::span<const Column> parts, const std::shared_ptr<MemoryPool>& pool);

/// Entries [start, start + length) as a column of their own (copied; offsets start at 0 again).
Column slice(const Column& column, int64_t start, int64_t length, const std::shared_ptr<MemoryPool>& pool);

/// The runs of those for which `keep` is not 0.
std::vector<EntryRange> kept_ranges(std::span<const uint8_t> keep);
/// The entries of some ranges, one range after the other, as a column of their own (copied). Throws
/// SchemaError where the column does not have them. `offsets` are those of the result where they are known:
/// what the same entries of a column that shares its offsets have.
Column entries_of(const Column& column, std::span<const EntryRange> ranges,
                  const std::shared_ptr<MemoryPool>& pool, const Buffer& offsets = {});

/// Entries that are 0, false or empty.
Column blank_column(const Type& type, int64_t length, const std::shared_ptr<MemoryPool>& pool);

/// A column of `length` entries, of which those at `places` (ascending) are the column's, in order; the
/// others are 0, false or empty.
Column spread(const Column& column, std::span<const int64_t> places, int64_t length,
              const std::shared_ptr<MemoryPool>& pool);

/// Whether both hold the same type and bit-equal values.
bool identical(const Column& a, const Column& b);

}  // namespace sapwood
