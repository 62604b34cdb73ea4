#include "sapwood/dataset/moments.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <tuple>
#include <utility>

namespace sapwood {
namespace {

constexpr size_t kLanes = 8;  // independent sums, which compilers turn into vectors

template <class Term>
double sum(std::span<const double> values, Term term) {
  std::array<double, kLanes> sums{};
  const size_t whole = values.size() / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += term(values[i + lane]);
  }
  for (size_t i = whole; i < values.size(); ++i) sums[i - whole] += term(values[i]);
  double total = 0;
  for (const double part : sums) total += part;
  return total;
}

// Moves them out, and gives how many are left; most often that is all.
size_t without_nans(std::span<double> run) {
  size_t nans = 0;
  for (const double value : run) nans += value == value ? 0 : 1;
  if (nans == 0) return run.size();
  size_t kept = 0;
  for (const double value : run) {
    run[kept] = value;
    kept += value == value ? 1 : 0;
  }
  return kept;
}

std::pair<double, double> extremes(std::span<const double> values) {
  std::array<double, kLanes> lows;
  std::array<double, kLanes> highs;
  lows.fill(std::numeric_limits<double>::infinity());
  highs.fill(-std::numeric_limits<double>::infinity());
  const auto take = [&](size_t lane, double value) {
    lows[lane] = value < lows[lane] ? value : lows[lane];
    highs[lane] = value > highs[lane] ? value : highs[lane];
  };
  const size_t whole = values.size() / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) take(lane, values[i + lane]);
  }
  for (size_t i = whole; i < values.size(); ++i) take(i - whole, values[i]);
  return {*std::ranges::min_element(lows), *std::ranges::max_element(highs)};
}

}  // namespace

void Moments::add(std::span<double> run) {
  const size_t kept = without_nans(run);
  const auto numbers = run.first(kept);
  Moments part;
  part.nans = static_cast<int64_t>(run.size() - kept);
  part.values = static_cast<int64_t>(kept);
  std::tie(part.min, part.max) = extremes(numbers);
  if (kept != 0) {
    // Rounding must not give values that are all the same a spread.
    const double mean_here = part.min == part.max
                                 ? part.min
                                 : sum(numbers, [](double x) { return x; }) / static_cast<double>(kept);
    part.mean = mean_here;
    part.squares = sum(numbers, [mean_here](double x) { return (x - mean_here) * (x - mean_here); });
  }
  merge(part);
}

// Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances"
// (1979).
void Moments::merge(const Moments& other) {
  if (values == 0 || other.values == 0) {
    const int64_t all_nans = nans + other.nans;
    if (values == 0) *this = other;
    nans = all_nans;
    return;
  }
  nans += other.nans;
  const auto n = static_cast<double>(values);
  const auto m = static_cast<double>(other.values);
  const double apart = other.mean - mean;
  values += other.values;
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  mean += apart * (m / (n + m));
  squares += other.squares + apart * apart * (n * m / (n + m));
}

}  // namespace sapwood
