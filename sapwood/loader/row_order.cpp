#include "sapwood/loader/row_order.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>

#include "sapwood/base/random.h"
#include "sapwood/kernels/philox.h"

namespace sapwood {
namespace {

// What a random number is for: part of the generator's counter, so that no two purposes share numbers.
enum class Purpose : uint32_t {
  kRow = 1,
  kFilePhase = 2,
  kStratumPhase = 3,
  kSplit = 4,
  kFileSplit = 5,
  kUnit = 6,
  kCell = 7
};

constexpr uint32_t kDelays = 32;
constexpr int64_t kFirstBucket = 3;            // starts early: VIF 1.02 in the first batches
constexpr int64_t kMostBuckets = 1 << 18;      // keeps their bookkeeping small beside the rows
constexpr int64_t kRowsOfLastParts = 1 << 13;  // at least, and up to 2^kMostLastBits parts
constexpr int kMostLastBits = 4;
constexpr int kMostPositionBits = 40;         // enough for any memory; leaves 24 to chance
constexpr int64_t kOrderedSegment = 1 << 16;  // entries, of an epoch that is not shuffled: at most
constexpr int64_t kOrderedSegments = 8;  // of the buffer; about six are staged, sorted or waiting at a time

// 48 bits of entry, 32 of file, 32 of epoch, 8 of leg, 8 of purpose.
std::array<uint32_t, 4> counter_of(const OrderKey& key, Purpose purpose, uint64_t file, uint64_t entry) {
  return {static_cast<uint32_t>(entry), static_cast<uint32_t>(file), static_cast<uint32_t>(key.epoch),
          static_cast<uint32_t>(purpose) << 24 | key.leg << 16 | static_cast<uint32_t>(entry >> 32)};
}

std::array<uint32_t, 4> random_bits(const OrderKey& key, Purpose purpose, uint64_t file, uint64_t entry) {
  return philox4x32(counter_of(key, purpose, file, entry), philox_key(key.seed));
}

// Of a row of a segment, from 32 bits for the delay and 64 for its place in the bucket.
RowPlace shuffled_place(const Window& window, int64_t segment, uint64_t delay_bits, uint64_t random,
                        int64_t position) {
  const uint64_t position_mask = (uint64_t{1} << window.position_bits) - 1;
  const uint64_t place = static_cast<uint64_t>(position) & position_mask;
  random &= ~position_mask;
  const auto delay = static_cast<int64_t>(delay_bits & (window.delays - 1));
  const int64_t bucket = std::clamp(segment + delay, window.first, window.num_segments - 1);
  if (bucket != window.num_segments - 1 || window.last_bits == 0) return {bucket, random | place};
  const auto part = static_cast<int64_t>(random >> (64 - window.last_bits));
  return {bucket + part, random << window.last_bits | place};
}

// Copies have random numbers of their own: those of another seed.
OrderKey key_of_copy(OrderKey key, int64_t pass, int64_t copy) {
  constexpr int kCopyBits = 16;
  key.seed += (static_cast<uint64_t>(pass) << kCopyBits | static_cast<uint64_t>(copy)) * 0x9E3779B97F4A7C15u;
  return key;
}

// The key of a permutation.
std::array<uint64_t, 2> key_bits(const OrderKey& key, Purpose purpose, size_t index) {
  const auto bits = random_bits(key, purpose, 0, index);
  return {uint64_t{bits[0]} << 32 | bits[1], uint64_t{bits[2]} << 32 | bits[3]};
}

double phase(const OrderKey& key, Purpose purpose, size_t index) {
  const auto bits = random_bits(key, purpose, index, 0);
  return uniform_from_bits(bits[0], bits[1]);
}

struct KeyedUnit {
  double key;
  size_t unit;
  auto operator<=>(const KeyedUnit&) const = default;
};

}  // namespace

std::vector<size_t> stratified_order(std::span<const Unit> units, std::span<const size_t> sample_of_file,
                                     const OrderKey& key, std::span<const Reading> readings) {
  std::vector<std::vector<KeyedUnit>> files(sample_of_file.size());
  for (size_t u = 0; u < units.size(); ++u) {
    const Reading reading = readings.empty() ? Reading{} : readings[u];
    const auto bits = random_bits(key_of_copy(key, reading.pass, 0), Purpose::kUnit, units[u].file,
                                  static_cast<uint64_t>(units[u].entries.start));
    const double place = static_cast<double>(reading.pass) + uniform_from_bits(bits[0], bits[1]);
    files[units[u].file].push_back({place / static_cast<double>(reading.passes), u});
  }
  std::map<size_t, std::vector<KeyedUnit>> strata;
  for (size_t file = 0; file < files.size(); ++file) {
    std::sort(files[file].begin(), files[file].end());
    const double offset = phase(key, Purpose::kFilePhase, file);
    for (size_t i = 0; i < files[file].size(); ++i) {
      strata[sample_of_file[file]].push_back(
          {(static_cast<double>(i) + offset) / static_cast<double>(files[file].size()), files[file][i].unit});
    }
  }
  std::vector<KeyedUnit> all;
  for (auto& [stratum, members] : strata) {
    std::sort(members.begin(), members.end());
    const double offset = phase(key, Purpose::kStratumPhase, stratum);
    for (size_t i = 0; i < members.size(); ++i) {
      all.push_back(
          {(static_cast<double>(i) + offset) / static_cast<double>(members.size()), members[i].unit});
    }
  }
  std::sort(all.begin(), all.end());
  std::vector<size_t> order;
  for (const KeyedUnit& unit : all) order.push_back(unit.unit);
  return order;
}

Window plan_window(int64_t entries, double kept, int64_t buffer_rows, bool shuffle) {
  Window window;
  window.shuffle = shuffle;
  if (!shuffle) {
    window.segment_entries = std::clamp<int64_t>(buffer_rows / kOrderedSegments, 1, kOrderedSegment);
  } else if (static_cast<double>(entries) * kept <= static_cast<double>(buffer_rows)) {
    window.segment_entries = std::max<int64_t>(entries, 1);  // all rows fit: one bucket, a full permutation
  } else {
    window.delays = kDelays;
    window.segment_entries = std::max<int64_t>(
        entries / kMostBuckets + 1, std::llround(2.0 * static_cast<double>(buffer_rows) / kept / kDelays));
  }
  window.num_segments = std::max<int64_t>(1, (entries + window.segment_entries - 1) / window.segment_entries);
  if (shuffle) {
    window.first = std::min(kFirstBucket, window.num_segments - 1);
    const int64_t last_rows = std::min<int64_t>(entries, window.segment_entries * (window.delays + 1) / 2);
    const auto parts = static_cast<uint64_t>(last_rows / kRowsOfLastParts);
    window.last_bits = std::clamp(static_cast<int>(std::bit_width(parts)) - 1, 0, kMostLastBits);
    const uint64_t bucket_entries = window.delays * static_cast<uint64_t>(window.segment_entries);
    window.position_bits = std::min(static_cast<int>(std::bit_width(bucket_entries)), kMostPositionBits);
  }
  return window;
}

RowPlace place_row(const Window& window, const OrderKey& key, size_t file, int64_t entry, int64_t position) {
  const int64_t segment = window.segment(position);
  if (!window.shuffle) {
    const uint64_t step = UINT64_MAX / static_cast<uint64_t>(window.segment_entries);
    return {segment, static_cast<uint64_t>(position - segment * window.segment_entries) * step};
  }
  const auto bits = random_bits(key, Purpose::kRow, file, static_cast<uint64_t>(entry));
  return shuffled_place(window, segment, bits[0], uint64_t{bits[1]} << 32 | bits[2], position);
}

RowPlace place_copy(const Window& window, const OrderKey& key, size_t file, int64_t entry, int64_t position,
                    int64_t pass, int64_t copy) {
  RowPlace place = place_row(window, key_of_copy(key, pass, copy), file, entry, position);
  if (!window.shuffle) place.key += static_cast<uint64_t>(copy);  // below the key of the next row
  return place;
}

std::array<uint64_t, 2> cell_bits(const OrderKey& key, size_t cell) {
  return key_bits(key, Purpose::kCell, cell);
}

void place_rows(const Window& window, const OrderKey& key, size_t file, int64_t first_entry,
                int64_t first_position, std::span<RowPlace> places) {
  constexpr size_t kRun = 64;
  std::array<uint64_t, kRun> delays;
  std::array<uint64_t, kRun> randoms;
  for (size_t done = 0; done < places.size();) {
    const int64_t entry = first_entry + static_cast<int64_t>(done);
    const int64_t position = first_position + static_cast<int64_t>(done);
    const uint64_t before_overflow = UINT32_MAX - static_cast<uint32_t>(entry);
    const auto count = std::min({kRun, places.size() - done, static_cast<size_t>(before_overflow) + 1});
    if (!window.shuffle) {
      for (size_t i = 0; i < count; ++i) {
        const auto offset = static_cast<int64_t>(i);
        places[done + i] = place_row(window, key, file, entry + offset, position + offset);
      }
    } else {
      const auto counter = counter_of(key, Purpose::kRow, file, static_cast<uint64_t>(entry));
      kernels::philox_run(counter, philox_key(key.seed), count, delays.data(), randoms.data());
      int64_t segment = window.segment(position);
      int64_t segment_end = (segment + 1) * window.segment_entries;
      for (size_t i = 0; i < count; ++i) {
        const int64_t at = position + static_cast<int64_t>(i);
        if (at == segment_end) {
          ++segment;
          segment_end += window.segment_entries;
        }
        places[done + i] = shuffled_place(window, segment, delays[i], randoms[i], at);
      }
    }
    done += count;
  }
}

SplitOrder::SplitOrder(const std::vector<FileInfo>& files, uint64_t seed) {
  std::vector<int64_t> rows;
  for (const FileInfo& file : files) {
    rows.resize(std::max(rows.size(), file.sample + 1));
    files_.push_back({file.sample, rows[file.sample]});
    rows[file.sample] += file.num_entries;
  }
  for (size_t sample = 0; sample < rows.size(); ++sample) {
    const int64_t size = std::max<int64_t>(rows[sample], 1);
    samples_.push_back({Permutation(static_cast<uint64_t>(size), key_bits({seed}, Purpose::kSplit, sample)),
                        static_cast<double>(size)});
  }
}

double SplitOrder::place(size_t file, int64_t entry) const {
  constexpr double kBehind = 1e-6;
  const auto& [sample, before] = files_[file];
  const auto& [order, rows] = samples_[sample];
  return (static_cast<double>(order(static_cast<uint64_t>(before + entry))) + kBehind) / rows;
}

bool in_part(const SplitPart& part, const SplitOrder& order, size_t file, int64_t entry) {
  const double place = order.place(file, entry);
  return std::ranges::any_of(part.intervals, [&](const SplitPart::Interval& interval) {
    return place >= interval.low && place < interval.high;
  });
}

double SplitPart::share() const {
  double sum = 0;
  for (const Interval& interval : intervals) sum += interval.high - interval.low;
  return sum;
}

SplitPart SplitPart::between(double low, double high) const {
  const double whole = share();
  SplitPart part{.intervals = {}};
  double before = 0;  // of the part's measure
  for (const Interval& interval : intervals) {
    const double size = interval.high - interval.low;
    // Where a fraction lies is computed in one way for the part that ends there and for the next.
    const auto edge = [&](double fraction) {
      if (fraction >= 1 || fraction * whole >= before + size) return interval.high;
      return fraction * whole <= before ? interval.low : interval.low + (fraction * whole - before);
    };
    if (edge(low) < edge(high)) part.intervals.push_back({edge(low), edge(high)});
    before += size;
  }
  return part;
}

SplitPart united(SplitPart first, const SplitPart& second) {
  for (const SplitPart::Interval& interval : second.intervals) {
    if (!first.intervals.empty() && first.intervals.back().high == interval.low) {
      first.intervals.back().high = interval.high;
    } else {
      first.intervals.push_back(interval);
    }
  }
  return first;
}

std::vector<std::vector<size_t>> part_files(const std::vector<FileInfo>& files,
                                            const std::vector<size_t>& among,
                                            const std::vector<double>& fractions, uint64_t seed) {
  struct Keyed {
    double key;
    size_t file;
    auto operator<=>(const Keyed&) const = default;
  };
  std::map<size_t, std::vector<Keyed>> samples;
  for (const size_t file : among) {
    samples[files[file].sample].push_back({phase({seed}, Purpose::kFileSplit, file), file});
  }
  std::vector<double> ends(fractions.size());
  std::partial_sum(fractions.begin(), fractions.end(), ends.begin());
  if (ends.back() > 1 - 1e-9) ends.back() = 1;
  std::vector<std::vector<size_t>> parts(fractions.size());
  for (auto& [sample, members] : samples) {
    std::ranges::sort(members);
    double entries = 0;
    for (const Keyed& member : members) entries += static_cast<double>(files[member.file].num_entries);
    double before = 0;
    for (const Keyed& member : members) {
      const auto size = static_cast<double>(files[member.file].num_entries);
      const double middle = entries > 0 ? (before + size / 2) / entries : 0;
      const auto part = std::ranges::upper_bound(ends, middle) - ends.begin();
      if (part < std::ssize(ends)) parts[static_cast<size_t>(part)].push_back(member.file);
      before += size;
    }
  }
  for (std::vector<size_t>& part : parts) std::ranges::sort(part);
  return parts;
}

}  // namespace sapwood
