#include "sapwood/kernels/interleave.h"

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

template <size_t ElementSize>
void interleave_block(const std::byte* const* columns, size_t first_column, size_t last_column, size_t first,
                      size_t last, size_t num_columns, std::byte* out) {
  for (size_t i = first; i < last; ++i) {
    std::byte* row = out + i * num_columns * ElementSize;
    for (size_t c = first_column; c < last_column; ++c) {
      std::memcpy(row + c * ElementSize, columns[c] + i * ElementSize, ElementSize);
    }
  }
}

#if HWY_TARGET == HWY_SCALAR

void interleave_words(const std::byte* const* columns, size_t num_columns, size_t count, std::byte* out) {
  interleave_block<4>(columns, 0, num_columns, 0, count, num_columns, out);
}

#else

namespace hn = hwy::HWY_NAMESPACE;

HWY_INLINE hn::Vec<hn::FixedTag<uint32_t, 4> > load_words(const std::byte* bytes) {
  const hn::FixedTag<uint8_t, 16> d8;
  return hn::BitCast(hn::FixedTag<uint32_t, 4>(),
                     hn::LoadU(d8, static_cast<const uint8_t*>(static_cast<const void*>(bytes))));
}

HWY_INLINE void store_row(hn::Vec<hn::FixedTag<uint64_t, 2> > row, std::byte* out) {
  const hn::FixedTag<uint8_t, 16> d8;
  hn::StoreU(hn::BitCast(d8, row), d8, static_cast<uint8_t*>(static_cast<void*>(out)));
}

// Four rows of four columns in registers: pairs of columns are interleaved, then pairs of those pairs.
HWY_INLINE void interleave_4x4(const std::byte* const* columns, size_t first, size_t row_bytes,
                               std::byte* out) {
  const hn::FixedTag<uint32_t, 4> d32;
  const hn::FixedTag<uint64_t, 2> d64;
  const auto a = load_words(columns[0] + first * 4);
  const auto b = load_words(columns[1] + first * 4);
  const auto c = load_words(columns[2] + first * 4);
  const auto d = load_words(columns[3] + first * 4);
  const auto ab_low = hn::BitCast(d64, hn::InterleaveLower(d32, a, b));
  const auto cd_low = hn::BitCast(d64, hn::InterleaveLower(d32, c, d));
  const auto ab_high = hn::BitCast(d64, hn::InterleaveUpper(d32, a, b));
  const auto cd_high = hn::BitCast(d64, hn::InterleaveUpper(d32, c, d));
  store_row(hn::InterleaveLower(d64, ab_low, cd_low), out);
  store_row(hn::InterleaveUpper(d64, ab_low, cd_low), out + row_bytes);
  store_row(hn::InterleaveLower(d64, ab_high, cd_high), out + 2 * row_bytes);
  store_row(hn::InterleaveUpper(d64, ab_high, cd_high), out + 3 * row_bytes);
}

void interleave_words(const std::byte* const* columns, size_t num_columns, size_t count, std::byte* out) {
  const size_t row_bytes = num_columns * 4;
  const size_t whole_columns = num_columns / 4 * 4;
  const size_t whole_rows = count / 4 * 4;
  for (size_t i = 0; i < whole_rows; i += 4) {
    std::byte* rows = out + i * row_bytes;
    for (size_t c = 0; c < whole_columns; c += 4) interleave_4x4(columns + c, i, row_bytes, rows + c * 4);
  }
  interleave_block<4>(columns, whole_columns, num_columns, 0, whole_rows, num_columns, out);
  interleave_block<4>(columns, 0, num_columns, whole_rows, count, num_columns, out);
}

#endif

void interleave(const std::byte* const* columns, size_t num_columns, size_t count, size_t element_size,
                std::byte* out) {
  switch (element_size) {
    case 1:
      return interleave_block<1>(columns, 0, num_columns, 0, count, num_columns, out);
    case 2:
      return interleave_block<2>(columns, 0, num_columns, 0, count, num_columns, out);
    case 4:
      return interleave_words(columns, num_columns, count, out);
    default:
      return interleave_block<8>(columns, 0, num_columns, 0, count, num_columns, out);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sapwood::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sapwood::kernels {
namespace {

HWY_EXPORT(interleave);

}  // namespace

void interleave(const std::byte* const* columns, size_t num_columns, size_t count, size_t element_size,
                std::byte* out) {
  HWY_DYNAMIC_DISPATCH(interleave)(columns, num_columns, count, element_size, out);
}

}  // namespace sapwood::kernels
#endif
