#pragma once

#include <cstddef>

#include "sapwood/column/type.h"
#include "sapwood/features/feature_spec.h"

namespace sapwood {

/// Whether values of `kind` are stored with the same bytes as tensor elements of `dtype`.
bool same_representation(TypeKind kind, DType dtype);

/// Converts `count` values of a primitive `kind`, `stride` values apart, to consecutive elements of `dtype`.
/// Floating to integer rounds towards zero; what does not fit becomes the nearest limit, NaN becomes 0; to
/// bool: not zero.
void convert_values(const std::byte* in, TypeKind kind, size_t stride, std::byte* out, DType dtype,
                    size_t count);

}  // namespace sapwood
