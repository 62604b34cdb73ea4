#include "sapwood/loader/shuffle_quality.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace sapwood {
namespace {

constexpr int64_t kMostBuckets = 2048;  // that are looked at; later ones are alike

using ClassCounts = std::map<size_t, double>;

// The mean, over pairs of rows x apart in windows of length 1, of the chance that both are in a window: for
// rows of a unit of x windows' length. `mean_square_overlap` is that of the chance's square.
double mean_overlap(double x) { return x <= 1 ? 1 - x / 3 : 1 / x - 1 / (3 * x * x); }
double mean_square_overlap(double x) {
  return x <= 1 ? 1 - 2 * x / 3 + x * x / 6 : 2 / (3 * x) - 1 / (6 * x * x);
}

// The share of a segment's rows that go to a bucket.
double share_of(const Window& window, int64_t segment, int64_t bucket) {
  const int64_t last = window.num_segments - 1;
  const auto delays = static_cast<int64_t>(window.delays);
  // Rows with delays in [low, high) do.
  const int64_t low = bucket == window.first ? 0 : bucket - segment;
  const int64_t high = bucket == last ? delays : bucket - segment + 1;
  const int64_t count = std::min(high, delays) - std::max<int64_t>(low, 0);
  return static_cast<double>(std::max<int64_t>(count, 0)) / static_cast<double>(delays);
}

// Rows of each class in each segment, up to the last one that is looked at.
std::vector<ClassCounts> count_segments(const RankStream& stream, std::span<const size_t> sample_of_file,
                                        int64_t segments) {
  const bool by_file =
      std::ranges::count(sample_of_file, sample_of_file.front()) == std::ssize(sample_of_file);
  std::vector<ClassCounts> counts(static_cast<size_t>(segments));
  for (const StreamUnit& piece : stream.units) {
    const size_t of_class = by_file ? piece.unit.file : sample_of_file[piece.unit.file];
    const int64_t end = piece.position + piece.unit.entries.size();
    for (int64_t at = piece.position; at < end;) {
      const int64_t segment = stream.window.segment(at);
      if (segment >= segments) return counts;
      const int64_t until = std::min(end, (segment + 1) * stream.window.segment_entries);
      counts[static_cast<size_t>(segment)][of_class] += static_cast<double>(until - at) * piece.reading.rows;
      at = until;
    }
  }
  return counts;
}

double expected_variance(const RankStream& stream, std::span<const size_t> sample_of_file,
                         double batch_size) {
  const Window& window = stream.window;
  const int64_t buckets = std::min(window.num_segments, kMostBuckets);
  const std::vector<ClassCounts> segments = count_segments(stream, sample_of_file, buckets);
  ClassCounts whole;
  double rows = 0;
  for (const ClassCounts& segment : segments) {
    for (const auto& [of_class, count] : segment) {
      whole[of_class] += count;
      rows += count;
    }
  }
  if (whole.size() < 2) return 1;
  double all_rows = 0;
  for (const StreamUnit& piece : stream.units)
    all_rows += static_cast<double>(piece.unit.entries.size()) * piece.reading.rows;
  const auto window_rows = static_cast<double>(window.segment_entries) * window.delays * all_rows /
                           static_cast<double>(stream.num_entries);
  const double batch = std::min(batch_size, rows / 2);
  double variance = 0;
  double weight = 0;
  ClassCounts mixed;  // of buckets until they fill a batch
  double mixed_rows = 0;
  for (int64_t bucket = window.first; bucket < buckets; ++bucket) {
    for (int64_t s = std::max<int64_t>(0, bucket - window.delays + 1); s <= bucket; ++s) {
      const double share = share_of(window, s, bucket);
      for (const auto& [of_class, count] : segments[static_cast<size_t>(s)]) {
        mixed[of_class] += share * count;
        mixed_rows += share * count;
      }
    }
    if (mixed_rows < batch) continue;
    for (const auto& [of_class, count] : whole) {
      const double q = mixed[of_class] / mixed_rows;
      const double off = batch * (q - count / rows);
      variance += mixed_rows * (off * off + batch * q * (1 - q) * (1 - batch / std::min(rows, window_rows)));
    }
    weight += mixed_rows;
    mixed.clear();
    mixed_rows = 0;
  }
  double drawn = 0;
  for (const auto& [of_class, count] : whole) {
    const double p = count / rows;
    drawn += batch * p * (1 - p) * (rows - batch) / (rows - 1);
  }
  return weight > 0 && drawn > 0 ? variance / weight / drawn : 1;
}

}  // namespace

ShuffleQuality expected_quality(const RankStream& stream, std::span<const size_t> sample_of_file,
                                int64_t batch_size, int64_t all_entries, int64_t all_units) {
  const Window& window = stream.window;
  if (window.num_segments <= 1 || stream.units.empty()) return {};
  double squares = 0;
  for (const StreamUnit& piece : stream.units) {
    const auto size = static_cast<double>(piece.unit.entries.size());
    squares += size * size;
  }
  const auto entries = static_cast<double>(stream.num_entries);
  const auto segments = static_cast<double>(window.num_segments);
  const auto delays = static_cast<double>(window.delays);
  const double unit_windows = squares / entries / (static_cast<double>(window.segment_entries) * delays);
  // Buckets hold rows of that many times fewer units than all, the fuller first and last ones among them.
  const double fewer =
      segments > delays ? (segments - 2 + (2 * delays + 1) / 3) / delays : 1 + (segments - 1) / (3 * delays);
  const double of_all = static_cast<double>(all_entries) / entries;
  ShuffleQuality quality;
  quality.variance_inflation = expected_variance(stream, sample_of_file, static_cast<double>(batch_size));
  quality.lift = std::max(1.0, of_all * fewer * mean_overlap(unit_windows));
  const double unit = 1 / static_cast<double>(std::max<int64_t>(all_units, 2));
  const double together = unit * quality.lift;
  const double apart = std::max(0.0, 1 - together);
  quality.repeat =
      unit * of_all * of_all * fewer * fewer * mean_square_overlap(unit_windows) + apart * apart / (1 - unit);
  quality.repeat = std::max(1.0, quality.repeat);
  return quality;
}

}  // namespace sapwood
