#pragma once

#include <cstddef>

namespace sapwood::kernels {

/// Columns to rows: out[(i * num_columns + c)] = columns[c][i] for i < count, elements of `element_size`
/// bytes (1, 2, 4 or 8). Columns and out may be unaligned and must not overlap. Meant for tiles that fit the
/// first-level cache.
void interleave(const std::byte* const* columns, size_t num_columns, size_t count, size_t element_size,
                std::byte* out);

/// The same, with row i at `rows[i] + offset`.
void scatter(const std::byte* const* columns, size_t num_columns, size_t count, size_t element_size,
             std::byte* const* rows, size_t offset);

}  // namespace sapwood::kernels
