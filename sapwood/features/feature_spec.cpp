#include "sapwood/features/feature_spec.h"

#include <algorithm>
#include <iterator>

namespace sapwood {

bool Variable::is_fitted() const {
  return slots != kFitSlots && std::ranges::all_of(transforms, &Transform::fitted);
}

bool FeatureGroup::is_fitted() const {
  return pad != kFitPad && std::ranges::all_of(variables, &Variable::is_fitted);
}

bool FeatureSpec::is_fitted() const { return std::ranges::all_of(groups, &FeatureGroup::is_fitted); }

FeatureSpec FeatureSpec::of_role(Role role) const {
  FeatureSpec part{.groups = {}, .definitions = definitions};
  std::ranges::copy_if(groups, std::back_inserter(part.groups),
                       [role](const FeatureGroup& group) { return group.role == role; });
  return part;
}

std::vector<int64_t> tensor_shape(const TensorInfo& info, int64_t rows, size_t bytes) {
  std::vector<int64_t> shape = info.shape;
  if (info.axis == Axis::kNone) return shape;
  auto item_bytes = static_cast<int64_t>(dtype_size(info.dtype));
  for (const int64_t extent : info.shape) item_bytes *= extent;
  const int64_t values = item_bytes == 0 ? 0 : static_cast<int64_t>(bytes) / item_bytes;
  shape.insert(shape.begin(), info.axis == Axis::kRows ? rows : values);
  return shape;
}

}  // namespace sapwood
