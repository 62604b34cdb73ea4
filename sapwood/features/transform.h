#pragma once

#include <cstddef>
#include <span>

#include "sapwood/column/dtype.h"
#include "sapwood/column/type.h"
#include "sapwood/features/feature_spec.h"

namespace sapwood {

/// Values that are transformed together, in the first-level cache.
constexpr size_t kTransformTile = 512;

/// Transforms values in place, one step after the other. Every step is the one float64 operation that its
/// description says, as NumPy computes it; the logarithm is SLEEF's.
void apply_transforms(std::span<const Transform> transforms, std::span<double> values);

/// As `convert_values`, with transforms on the way: to float64, through the steps, to `dtype`. Without
/// transforms it is `convert_values`.
void transform_values(const std::byte* in, TypeKind kind, size_t stride,
                      std::span<const Transform> transforms, std::byte* out, DType dtype, size_t count);

}  // namespace sapwood
