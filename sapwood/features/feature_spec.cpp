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
  FeatureSpec part;
  std::ranges::copy_if(groups, std::back_inserter(part.groups),
                       [role](const FeatureGroup& group) { return group.role == role; });
  return part;
}

}  // namespace sapwood
