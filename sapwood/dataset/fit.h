#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "sapwood/dataset/dataset.h"
#include "sapwood/features/feature_spec.h"

namespace sapwood {

/// What one pass over the data says of an expression. NaN is counted and otherwise left out.
struct Statistics {
  std::string expression;
  int64_t entries = 0;  ///< that pass the filters
  int64_t values = 0;   ///< without NaN; innermost ones of lists
  int64_t nans = 0;
  double min = 0;  ///< of values, like the next three; 0 when there are none
  double max = 0;
  double mean = 0;
  double standard_deviation = 0;  ///< of the population: divided by `values`
  int64_t max_multiplicity = 0;   ///< values (with NaN) in an entry
};

struct ScanOptions {
  size_t threads = 0;  ///< 0: as many as there are processors
  std::stop_token stop{};
};

/// Statistics of expressions in one streaming, parallel pass: the same bits for any number of threads.
std::vector<Statistics> scan(const Dataset& dataset, const std::vector<std::string>& expressions,
                             const ScanOptions& options = {});

/// The specification with what had to be learnt filled in, and with the definitions of the data set that it
/// uses, in one pass over the data; of a variable with
/// several transforms, statistics are of the value that reaches the one to be learnt. Nothing is read when
/// nothing has to be learnt. Throws ConfigError when a variable has two of these, or no values to learn from.
FeatureSpec fit(const Dataset& dataset, const FeatureSpec& spec, const ScanOptions& options = {});

}  // namespace sapwood
