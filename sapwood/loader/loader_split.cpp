#include <algorithm>
#include <iterator>
#include <numeric>

#include "sapwood/loader/loader_plan.h"

namespace sapwood {
namespace {

constexpr int64_t kMostFolds = 255;

// Parts of a part are drawn anew: a division by the same values is not to follow the one before.
uint64_t division_seed(const LoaderPlan& plan) {
  return *plan.options.seed + plan.divisions.size() * 0x9E3779B97F4A7C15u;
}

}  // namespace

Loader Loader::balance(const Balance& balance) const {
  require_unbalanced();
  LoaderSettings settings(*plan_);
  settings.take_balance(balance);
  return Loader(std::make_shared<LoaderPlan>(std::move(settings)));
}

void Loader::require_unbalanced() const {
  if (plan_->balanced)
    throw ConfigError("the loader is balanced: split it first, then balance the parts, each once");
}

std::vector<Loader> Loader::split(const std::vector<double>& fractions, const SplitBy& by) const {
  require_unbalanced();
  const double sum = std::accumulate(fractions.begin(), fractions.end(), 0.0);
  const bool positive = std::all_of(fractions.begin(), fractions.end(), [](double f) { return f > 0; });
  if (fractions.empty() || !positive || sum > 1 + 1e-9) {
    throw ConfigError(concat("split fractions must be positive and sum to at most 1; they sum to ", sum));
  }
  std::vector<Loader> parts;
  if (by.files) {
    for (std::vector<size_t>& files : plan_->part_files(fractions))
      parts.push_back(of_files(std::move(files)));
    return parts;
  }
  if (!by.values.empty()) {
    const auto division =
        Division::by_values(plan_->dataset->schema(), by.values, fractions, division_seed(*plan_));
    for (size_t p = 0; p < fractions.size(); ++p)
      parts.push_back(of_division({division, Division::Parts().set(p)}));
    return parts;
  }
  if (by.order) {
    for (std::vector<EntryRange>& ranges : plan_->part_ranges(fractions)) {
      if (std::ranges::all_of(ranges, [](const EntryRange& range) { return range.size() == 0; }))
        throw ConfigError("there are too few rows for these parts, one of which would get none");
      parts.push_back(of_ranges(std::move(ranges)));
    }
    return parts;
  }
  double done = 0;
  for (const double fraction : fractions) {
    const double low = done;
    done += fraction;
    parts.push_back(of_part(plan_->part.between(low, done > 1 - 1e-9 ? 1 : done)));
  }
  return parts;
}

std::vector<Loader> Loader::split_where(const std::vector<std::string>& conditions) const {
  require_unbalanced();
  const auto division = Division::by_conditions(plan_->dataset->schema(), conditions);
  std::vector<Loader> parts;
  for (size_t p = 0; p <= conditions.size(); ++p)
    parts.push_back(of_division({division, Division::Parts().set(p)}));
  return parts;
}

std::vector<std::pair<Loader, Loader>> Loader::k_fold(int64_t folds, const SplitBy& by) const {
  require_unbalanced();
  if (folds < 2 || folds > kMostFolds)
    throw ConfigError(concat("the number of folds is ", folds, ", must be 2 to ", kMostFolds));
  const auto count = static_cast<size_t>(folds);
  const std::vector<double> fractions(count, 1 / static_cast<double>(folds));
  std::vector<std::pair<Loader, Loader>> pairs;
  if (by.files) {
    const auto parts = plan_->part_files(fractions);
    for (const std::vector<size_t>& files : parts) {
      std::vector<size_t> rest;
      std::ranges::set_difference(plan_->files, files, std::back_inserter(rest));
      pairs.emplace_back(of_files(std::move(rest)), of_files(files));
    }
    return pairs;
  }
  if (!by.values.empty()) {
    const auto division =
        Division::by_values(plan_->dataset->schema(), by.values, fractions, division_seed(*plan_));
    for (size_t fold = 0; fold < count; ++fold) {
      const Division::Parts val = Division::Parts().set(fold);
      pairs.emplace_back(of_division({division, ~val}), of_division({division, val}));
    }
    return pairs;
  }
  const auto edge = [&](int64_t fold) { return static_cast<double>(fold) / static_cast<double>(folds); };
  for (int64_t fold = 0; fold < folds; ++fold) {
    const SplitPart& whole = plan_->part;
    SplitPart rest = united(whole.between(0, edge(fold)), whole.between(edge(fold + 1), 1));
    pairs.emplace_back(of_part(std::move(rest)), of_part(whole.between(edge(fold), edge(fold + 1))));
  }
  return pairs;
}

Loader Loader::of_files(std::vector<size_t> files) const {
  LoaderSettings settings(*plan_);
  settings.take_files(std::move(files));
  return Loader(std::make_shared<LoaderPlan>(std::move(settings)));
}

Loader Loader::of_ranges(std::vector<EntryRange> ranges) const {
  LoaderSettings settings(*plan_);
  settings.ranges = std::move(ranges);
  std::vector<size_t> files = settings.files;
  std::erase_if(files, [&](size_t file) { return settings.ranges[file].size() == 0; });
  settings.take_files(std::move(files));
  return Loader(std::make_shared<LoaderPlan>(std::move(settings)));
}

Loader Loader::of_division(DivisionPart part) const {
  auto plan = std::make_shared<LoaderPlan>(LoaderSettings(*plan_));
  plan->divisions.push_back(std::move(part));
  plan->plan_reading();
  return Loader(std::move(plan));
}

Loader Loader::of_part(SplitPart part) const {
  auto plan = std::make_shared<LoaderPlan>(LoaderSettings(*plan_));
  plan->part = std::move(part);
  if (!plan->split) plan->split = std::make_shared<SplitOrder>(plan->dataset->source().files(), seed());
  return Loader(std::move(plan));
}

}  // namespace sapwood
