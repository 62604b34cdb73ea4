#pragma once

#include <cstddef>

#include "sapwood/column/type.h"
#include "sapwood/features/feature_spec.h"

namespace sapwood {

/// Converts `count` values of a primitive `kind`, `stride` values apart, to consecutive elements of `dtype`.
/// To floating numbers each value is rounded once, to the nearest; what is too large becomes infinity.
/// Floating to integer rounds towards zero; what does not fit becomes the nearest limit, NaN becomes 0; to
/// bool: not zero.
void convert_values(const std::byte* in, TypeKind kind, size_t stride, std::byte* out, DType dtype,
                    size_t count);

/// `value` as an element of `dtype`, `count` times; converted as `convert_values` does.
void fill_elements(std::byte* out, DType dtype, double value, size_t count);

}  // namespace sapwood
