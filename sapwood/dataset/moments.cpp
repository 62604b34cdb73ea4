#include "sapwood/dataset/moments.h"

#include <algorithm>
#include <array>
#include <cstddef>

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

}  // namespace

void Moments::add(std::span<double> run) {
  size_t kept = 0;
  for (const double value : run) {
    run[kept] = value;
    kept += value == value ? 1 : 0;
  }
  const auto numbers = run.first(kept);
  Moments part;
  part.nans = static_cast<int64_t>(run.size() - kept);
  part.values = static_cast<int64_t>(kept);
  for (const double value : numbers) {
    part.min = std::min(part.min, value);
    part.max = std::max(part.max, value);
  }
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
