#include "sapwood/features/transform.h"

#include <algorithm>
#include <array>

#include "sapwood/features/convert.h"
#include "sapwood/kernels/elementary.h"

namespace sapwood {
namespace {

// By way of other memory, since the logarithm's arrays must not overlap.
void take_logarithms(std::span<double> values) {
  std::array<double, kTransformTile> tile;
  for (; !values.empty(); values = values.subspan(std::min(values.size(), tile.size()))) {
    const auto logarithms = std::span(tile).first(std::min(values.size(), tile.size()));
    kernels::elementary(kernels::Elementary::kLog, values.data(), logarithms.data(), logarithms.size());
    std::ranges::copy(logarithms, values.begin());
  }
}

template <class Step>
void each(std::span<double> values, Step step) {
  for (double& value : values) value = step(value);
}

void apply(const Transform& transform, std::span<double> values) {
  const double a = transform.a;
  const double b = transform.b;
  switch (transform.kind) {
    case Transform::Kind::kReplaceNan:
      return each(values, [a](double x) { return x != x ? a : x; });
    case Transform::Kind::kLog:
      return take_logarithms(values);
    case Transform::Kind::kAffine:
      return each(values, [a, b](double x) { return (x - a) * b; });
    case Transform::Kind::kClip:
      // Comparisons with NaN are false, so that it stays.
      return each(values, [a, b](double x) {
        const double raised = x < a ? a : x;
        return raised > b ? b : raised;
      });
    case Transform::Kind::kStandard:
      if (b == 0) return each(values, [a](double x) { return x - a; });
      return each(values, [a, b](double x) { return (x - a) / b; });
    case Transform::Kind::kMinMax: {
      if (a == b) return;
      const double width = b - a;
      return each(values, [a, width](double x) { return (x - a) / width; });
    }
  }
}

}  // namespace

void apply_transforms(std::span<const Transform> transforms, std::span<double> values) {
  for (const Transform& transform : transforms) apply(transform, values);
}

void transform_values(const std::byte* in, TypeKind kind, size_t stride,
                      std::span<const Transform> transforms, std::byte* out, DType dtype, size_t count) {
  if (transforms.empty()) return convert_values(in, kind, stride, out, dtype, count);
  std::array<double, kTransformTile> tile;
  for (size_t done = 0; done < count; done += kTransformTile) {
    const auto values = std::span(tile).first(std::min(kTransformTile, count - done));
    convert_values(in + done * stride * primitive_size(kind), kind, stride,
                   std::as_writable_bytes(values).data(), DType::kFloat64, values.size());
    apply_transforms(transforms, values);
    convert_values(std::as_bytes(values).data(), TypeKind::kFloat64, 1, out + done * dtype_size(dtype), dtype,
                   values.size());
  }
}

}  // namespace sapwood
