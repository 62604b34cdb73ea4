#pragma once

#include <cstdint>
#include <span>

#include "sapwood/loader/ranks.h"

namespace sapwood {

/// How well an epoch is shuffled; all are 1 for a full permutation.
struct ShuffleQuality {
  /// Variance of the number of rows of a class in a batch, over that of drawing without order. Classes are
  /// the samples, or the files where there is one sample.
  double variance_inflation = 1;
  double lift = 1;    ///< chance that two rows of a batch are of one unit, over that of a full permutation
  double repeat = 1;  ///< chance that two rows of a batch share one again in the next epoch, likewise
};

/// What is to be expected of batches of `batch_size` rows of one rank's stream, from its plan alone.
/// `all_entries` and `all_units` are those of all ranks.
ShuffleQuality expected_quality(const RankStream& stream, std::span<const size_t> sample_of_file,
                                int64_t batch_size, int64_t all_entries, int64_t all_units);

}  // namespace sapwood
