#include "sapwood/dataset/fit.h"

#include <algorithm>
#include <cmath>

#include "sapwood/dataset/scan.h"
#include "sapwood/features/expression_set.h"

namespace sapwood {
namespace {

// Something to be learnt, and the place of its statistics.
struct Unknown {
  FeatureGroup* group = nullptr;
  const Variable* variable = nullptr;
  int64_t* length = nullptr;       // a pad or slots
  Transform* transform = nullptr;  // when there is no length
  size_t item = 0;
};

size_t item_place(std::vector<ScanItem>& items, ScanItem item) {
  const auto found = std::ranges::find(items, item);
  const auto place = static_cast<size_t>(found - items.begin());
  if (found == items.end()) items.push_back(std::move(item));
  return place;
}

[[noreturn]] void fail(const Unknown& unknown, const std::string& what) {
  throw ConfigError(
      concat("variable '", unknown.variable->name, "' of feature group '", unknown.group->name, "' ", what));
}

void find_unknowns(FeatureGroup& group, std::vector<ScanItem>& items, std::vector<Unknown>& unknowns) {
  if (group.pad == FeatureGroup::kFitPad) {
    if (group.variables.empty()) throw ConfigError("feature group '" + group.name + "' has no variables");
    const Variable& first = group.variables.front();
    unknowns.push_back({&group, &first, &group.pad, nullptr, item_place(items, {first.expression})});
  }
  for (Variable& variable : group.variables) {
    if (variable.slots == Variable::kFitSlots) {
      const size_t item = item_place(items, {variable.expression});
      unknowns.push_back({&group, &variable, &variable.slots, nullptr, item});
    }
    const auto unfitted = [](const Transform& transform) { return !transform.fitted; };
    const auto found = std::ranges::find_if(variable.transforms, unfitted);
    if (found == variable.transforms.end()) continue;
    const size_t item = item_place(items, {variable.expression, {variable.transforms.begin(), found}});
    unknowns.push_back({&group, &variable, nullptr, &*found, item});
    if (std::count_if(found, variable.transforms.end(), unfitted) > 1)
      fail(unknowns.back(), "has two transforms to be learnt from data; one can be");
  }
}

void learn(const Unknown& unknown, const Statistics& statistics) {
  if (unknown.length != nullptr) {
    if (statistics.max_multiplicity == 0) fail(unknown, "has no values to learn a length from");
    if (statistics.max_multiplicity > FeatureGroup::kLargestPad)
      fail(unknown, concat("has ", statistics.max_multiplicity, " values in an entry, too many to pad to"));
    *unknown.length = statistics.max_multiplicity;
    return;
  }
  if (statistics.values == 0) fail(unknown, "has no values to learn from");
  Transform& transform = *unknown.transform;
  const bool standard = transform.kind == Transform::Kind::kStandard;
  transform.a = standard ? statistics.mean : statistics.min;
  transform.b = standard ? statistics.standard_deviation : statistics.max;
  if (!std::isfinite(transform.a) || !std::isfinite(transform.b))
    fail(unknown, "has infinite or huge values: put a clip before what is learnt");
  transform.fitted = true;
}

}  // namespace

FeatureSpec fit(const Dataset& dataset, const FeatureSpec& spec, const ScanOptions& options) {
  FeatureSpec fitted = complete(spec, dataset.schema());
  std::vector<ScanItem> items;
  std::vector<Unknown> unknowns;
  for (FeatureGroup& group : fitted.groups) find_unknowns(group, items, unknowns);
  std::shared_ptr<const Dataset> defined = std::make_shared<Dataset>(dataset);
  for (const auto& [name, formula] : fitted.definitions) defined = defined->define(name, formula);
  const std::vector<Statistics> statistics = scan(*defined, items, options);
  for (const Unknown& unknown : unknowns) learn(unknown, statistics[unknown.item]);
  return fitted;
}

}  // namespace sapwood
