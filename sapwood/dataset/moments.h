#pragma once

#include <cstdint>
#include <limits>
#include <span>

namespace sapwood {

/// Extremes, mean and spread of values, gathered in parts. What comes out depends on the parts and the order
/// in which they are merged, and on nothing else.
struct Moments {
  int64_t values = 0;  ///< without NaN
  int64_t nans = 0;
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  double mean = 0;
  double squares = 0;  ///< sum of squared deviations from the mean

  /// Takes in a run of values, which is used as working memory.
  void add(std::span<double> run);
  void merge(const Moments& other);
};

}  // namespace sapwood
