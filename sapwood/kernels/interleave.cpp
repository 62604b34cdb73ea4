#include "sapwood/kernels/interleave.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sapwood/kernels/interleave.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h: it is read again for every target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sapwood::kernels {
namespace HWY_NAMESPACE {
namespace {

// Rows that are filled together: of columns of four bytes, as many as one cache line holds of each. Columns
// often lie at like places in their pages, where they share the few lines of one set of the cache.
constexpr size_t kRows = 16;

// Where rows are to be written: one after the other, or at an offset from pointers.
struct Consecutive {
  std::byte* out;
  size_t row_bytes;
  std::byte* operator[](size_t row) const { return out + row * row_bytes; }
};
struct Scattered {
  std::byte* const* rows;
  size_t offset;
  std::byte* operator[](size_t row) const { return rows[row] + offset; }
};

template <size_t ElementSize, class Rows>
void fill_block(const std::byte* const* columns, size_t first_column, size_t last_column, size_t first,
                size_t last, const Rows& rows) {
  for (size_t c = first_column; c < last_column; ++c) {
    for (size_t i = first; i < last; ++i)
      std::memcpy(rows[i] + c * ElementSize, columns[c] + i * ElementSize, ElementSize);
  }
}

template <size_t ElementSize, class Rows>
void fill_rows(const std::byte* const* columns, size_t num_columns, size_t count, const Rows& rows) {
  for (size_t i = 0; i < count; i += kRows)
    fill_block<ElementSize>(columns, 0, num_columns, i, std::min(i + kRows, count), rows);
}

#if HWY_TARGET == HWY_SCALAR

template <class Rows>
void fill_rows_of_words(const std::byte* const* columns, size_t num_columns, size_t count, const Rows& rows) {
  fill_rows<4>(columns, num_columns, count, rows);
}

#else

namespace hn = hwy::HWY_NAMESPACE;

HWY_INLINE hn::Vec<hn::FixedTag<uint32_t, 4> > load_words(const std::byte* bytes) {
  const hn::FixedTag<uint8_t, 16> d8;
  return hn::BitCast(hn::FixedTag<uint32_t, 4>(),
                     hn::LoadU(d8, static_cast<const uint8_t*>(static_cast<const void*>(bytes))));
}

HWY_INLINE void store_words(hn::Vec<hn::FixedTag<uint64_t, 2> > words, std::byte* out) {
  const hn::FixedTag<uint8_t, 16> d8;
  hn::StoreU(hn::BitCast(d8, words), d8, static_cast<uint8_t*>(static_cast<void*>(out)));
}

// Four rows of four columns in registers: pairs of columns are interleaved, then pairs of those pairs.
template <class Rows>
HWY_INLINE void fill_4x4(const std::byte* const* columns, size_t c, size_t i, const Rows& rows) {
  const hn::FixedTag<uint32_t, 4> d32;
  const hn::FixedTag<uint64_t, 2> d64;
  const auto w = load_words(columns[c] + i * 4);
  const auto x = load_words(columns[c + 1] + i * 4);
  const auto y = load_words(columns[c + 2] + i * 4);
  const auto z = load_words(columns[c + 3] + i * 4);
  const auto wx_low = hn::BitCast(d64, hn::InterleaveLower(d32, w, x));
  const auto yz_low = hn::BitCast(d64, hn::InterleaveLower(d32, y, z));
  const auto wx_high = hn::BitCast(d64, hn::InterleaveUpper(d32, w, x));
  const auto yz_high = hn::BitCast(d64, hn::InterleaveUpper(d32, y, z));
  store_words(hn::InterleaveLower(d64, wx_low, yz_low), rows[i] + c * 4);
  store_words(hn::InterleaveUpper(d64, wx_low, yz_low), rows[i + 1] + c * 4);
  store_words(hn::InterleaveLower(d64, wx_high, yz_high), rows[i + 2] + c * 4);
  store_words(hn::InterleaveUpper(d64, wx_high, yz_high), rows[i + 3] + c * 4);
}

template <class Rows>
void fill_rows_of_words(const std::byte* const* columns, size_t num_columns, size_t count, const Rows& rows) {
  const size_t whole_columns = num_columns / 4 * 4;
  for (size_t first = 0; first < count; first += kRows) {
    const size_t last = std::min(first + kRows, count);
    const size_t whole_last = first + (last - first) / 4 * 4;
    for (size_t c = 0; c < whole_columns; c += 4) {
      for (size_t k = c; k < c + 4; ++k) __builtin_prefetch(columns[k] + (first + 4 * kRows) * 4);
      for (size_t i = first; i < whole_last; i += 4) fill_4x4(columns, c, i, rows);
    }
    fill_block<4>(columns, whole_columns, num_columns, first, whole_last, rows);
    fill_block<4>(columns, 0, num_columns, whole_last, last, rows);
  }
}

#endif

template <class Rows>
void fill(const std::byte* const* columns, size_t num_columns, size_t count, size_t element_size,
          const Rows& rows) {
  switch (element_size) {
    case 1:
      return fill_rows<1>(columns, num_columns, count, rows);
    case 2:
      return fill_rows<2>(columns, num_columns, count, rows);
    case 4:
      return fill_rows_of_words(columns, num_columns, count, rows);
    default:
      return fill_rows<8>(columns, num_columns, count, rows);
  }
}

void interleave(const std::byte* const* columns, size_t num_columns, size_t count, size_t element_size,
                std::byte* out) {
  fill(columns, num_columns, count, element_size, Consecutive{out, num_columns * element_size});
}

void scatter(const std::byte* const* columns, size_t num_columns, size_t count, size_t element_size,
             std::byte* const* rows, size_t offset) {
  fill(columns, num_columns, count, element_size, Scattered{rows, offset});
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sapwood::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sapwood::kernels {
namespace {

HWY_EXPORT(interleave);
HWY_EXPORT(scatter);

}  // namespace

void interleave(const std::byte* const* columns, size_t num_columns, size_t count, size_t element_size,
                std::byte* out) {
  HWY_DYNAMIC_DISPATCH(interleave)(columns, num_columns, count, element_size, out);
}

void scatter(const std::byte* const* columns, size_t num_columns, size_t count, size_t element_size,
             std::byte* const* rows, size_t offset) {
  HWY_DYNAMIC_DISPATCH(scatter)(columns, num_columns, count, element_size, rows, offset);
}

}  // namespace sapwood::kernels
#endif
