#include "sapwood/dataset/moments.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <numeric>

namespace sapwood {
namespace {

constexpr size_t kLanes = 8;  // independent sums, which compilers turn into vectors

using Lanes = std::array<double, kLanes>;

// Calls `take` with each value and the lane it goes into.
template <class Take>
void over_lanes(std::span<const double> values, Take take) {
  const size_t whole = values.size() / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) take(lane, values[i + lane]);
  }
  for (size_t i = whole; i < values.size(); ++i) take(i - whole, values[i]);
}

double total(const Lanes& sums) { return std::accumulate(sums.begin(), sums.end(), 0.0); }

struct Summary {
  double sum = 0;
  double min = 0;
  double max = 0;
};

// Extremes are those of the numbers; the sum is NaN where there is any NaN.
Summary summary_of(std::span<const double> values) {
  Lanes sums{};
  Lanes lows;
  Lanes highs;
  lows.fill(std::numeric_limits<double>::infinity());
  highs.fill(-std::numeric_limits<double>::infinity());
  over_lanes(values, [&](size_t lane, double value) {
    sums[lane] += value;
    lows[lane] = value < lows[lane] ? value : lows[lane];
    highs[lane] = value > highs[lane] ? value : highs[lane];
  });
  return {total(sums), *std::ranges::min_element(lows), *std::ranges::max_element(highs)};
}

}  // namespace

void Moments::add(std::span<double> run) {
  Summary summary = summary_of(run);
  auto numbers = run;
  if (std::isnan(summary.sum)) {
    const auto end = std::remove_if(run.begin(), run.end(), [](double value) { return std::isnan(value); });
    numbers = {run.begin(), end};
    summary = summary_of(numbers);
  }
  Moments part;
  part.nans = std::ssize(run) - std::ssize(numbers);
  part.values = std::ssize(numbers);
  part.min = summary.min;
  part.max = summary.max;
  if (part.values != 0) {
    // Rounding must not give values that are all the same a spread.
    const double mean_here = part.min == part.max ? part.min : summary.sum / static_cast<double>(part.values);
    Lanes squares{};
    over_lanes(numbers, [&](size_t lane, double value) {
      squares[lane] += (value - mean_here) * (value - mean_here);
    });
    part.mean = mean_here;
    part.squares = total(squares);
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
