#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "sapwood/loader/batch.h"
#include "sapwood/loader/permutation.h"
#include "sapwood/source/source.h"
#include "sapwood/source/units.h"

namespace sapwood {

/// The numbers that fix the order of an epoch's rows.
struct OrderKey {
  uint64_t seed = 0;
  uint64_t epoch = 0;
  uint32_t leg = 0;  ///< of the epoch: restarts with other numbers of ranks
};
constexpr uint32_t kMostLegs = 256;

/// One of the times that an epoch reads a unit. Most are read once; of a balanced loader some several times,
/// a share of their rows each time.
struct Reading {
  size_t unit = 0;  ///< its number, in file order
  int64_t pass = 0;
  int64_t passes = 1;
  double rows = 1;  ///< mean rows of an entry that come with the pass
};

/// The units of an epoch in the order they are read, every stratum (sample) and file spread evenly over the
/// epoch with a random phase: of a file's n units, in a random order, unit i gets the key (i + u_file) / n;
/// so merged, unit j of a stratum's m gets (j + u_stratum) / m; all are sorted by that. `sample_of_file[f]`
/// is the stratum of file f. The readings of a unit (where there are `readings`, one for each of `units`) lie
/// evenly apart in the order of its file. Returns places in `units`.
std::vector<size_t> stratified_order(std::span<const Unit> units, std::span<const size_t> sample_of_file,
                                     const OrderKey& key, std::span<const Reading> readings = {});

/// The bounded-delay window: the stream of ordered entries is cut into segments of equal length; a row of
/// segment s goes to bucket s + d, its random delay d being less than `delays`; inside a bucket rows are
/// sorted by random bits, and then by position. Both follow from the row's file and entry alone. The first
/// buckets are gathered into `first`, so that their rows mix, and the last segments' rows into one that is
/// cut by the leading `last_bits` of the keys, so that its parts can be sorted by several threads and freed
/// one by one.
struct Window {
  int64_t segment_entries = 1;
  int64_t num_segments = 1;
  uint32_t delays = 1;  ///< a power of two
  int64_t first = 0;
  int last_bits = 0;
  int position_bits = 0;  ///< at the end of each key: they part the rows of a bucket, but for copies of one
  bool shuffle = true;    ///< else rows stay in stream order: delays is 1 and keys are positions

  int64_t segment(int64_t position) const { return position / segment_entries; }
  int64_t num_buckets() const { return num_segments - 1 + (int64_t{1} << last_bits); }
  /// Segments whose rows may be in the bucket or one before it.
  int64_t segments_of(int64_t bucket) const { return std::min(bucket + 1, num_segments); }
  /// The last bucket that rows of the segment may go to.
  int64_t last_bucket(int64_t segment) const {
    const int64_t bucket = std::max(segment + int64_t{delays} - 1, first);
    return bucket < num_segments - 1 ? bucket : num_buckets() - 1;
  }
};

/// A window over `entries` of which the share `kept` passes the split, holding about `buffer_rows` rows.
Window plan_window(int64_t entries, double kept, int64_t buffer_rows, bool shuffle);

/// Where the row at stream `position` goes.
RowPlace place_row(const Window& window, const OrderKey& key, size_t file, int64_t entry, int64_t position);

/// Where the rows of consecutive entries go, which are consecutive in the stream too.
void place_rows(const Window& window, const OrderKey& key, size_t file, int64_t first_entry,
                int64_t first_position, std::span<RowPlace> places);

/// Where a copy of a row goes, the `copy`-th (from 0) of those that come with the pass; the first one of pass
/// 0 as `place_row` says. Each has a place of its own.
RowPlace place_copy(const Window& window, const OrderKey& key, size_t file, int64_t entry, int64_t position,
                    int64_t pass, int64_t copy);

/// Random bits for a cell of a balance, of the seed and the epoch.
std::array<uint64_t, 2> cell_bits(const OrderKey& key, size_t cell);

/// Orders the rows of each sample as a seed draws it, in order that parts have exactly their share of them.
/// Immutable.
class SplitOrder {
 public:
  SplitOrder(const std::vector<FileInfo>& files, uint64_t seed);
  /// Of n rows the one with number k is at k / n, in [0, 1); or right behind it, where a fraction that is
  /// meant to be k / n is not.
  double place(size_t file, int64_t entry) const;

 private:
  struct File {
    size_t sample = 0;
    int64_t before = 0;  // rows of the sample in files before
  };
  struct Sample {
    Permutation order;
    double rows = 0;
  };
  std::vector<File> files_;
  std::vector<Sample> samples_;
};

/// A share of the rows: those whose place in a `SplitOrder` lies in one of the intervals [low, high).
struct SplitPart {
  struct Interval {
    double low = 0;
    double high = 1;
    bool operator==(const Interval&) const = default;
  };
  std::vector<Interval> intervals{{}};  ///< ascending, apart

  bool everything() const { return intervals == std::vector<Interval>{{}}; }
  double share() const;
  /// The part of this part between two fractions of it.
  SplitPart between(double low, double high) const;
  bool operator==(const SplitPart&) const = default;
};

/// Both parts, of which `first` ends before `second` begins.
SplitPart united(SplitPart first, const SplitPart& second);

bool in_part(const SplitPart& part, const SplitOrder& order, size_t file, int64_t entry);

/// Parts files into fractions of the entries of each sample, in an order that the seed draws. Places in
/// `files`, ascending, of those in `among`; a part may be empty where there are few files.
std::vector<std::vector<size_t>> part_files(const std::vector<FileInfo>& files,
                                            const std::vector<size_t>& among,
                                            const std::vector<double>& fractions, uint64_t seed);

}  // namespace sapwood
