#include "sapwood/loader/row_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace sapwood {
namespace {

std::vector<Unit> even_units(size_t files, size_t units_per_file, int64_t entries) {
  std::vector<Unit> units;
  for (size_t f = 0; f < files; ++f) {
    for (size_t u = 0; u < units_per_file; ++u) {
      const auto start = static_cast<int64_t>(u) * entries;
      units.push_back({.file = f, .entries = {start, start + entries}});
    }
  }
  return units;
}

struct OrderedRow {
  int64_t bucket;
  uint64_t key;
  int64_t position;
  size_t unit;
  auto operator<=>(const OrderedRow&) const = default;
};

// The whole order of an epoch.
std::vector<OrderedRow> emission(const std::vector<Unit>& units, const std::vector<size_t>& samples,
                                 int64_t buffer, const OrderKey& key) {
  int64_t entries = 0;
  for (const Unit& unit : units) entries += unit.entries.size();
  const Window window = plan_window(entries, 1.0, buffer, true);
  std::vector<OrderedRow> rows;
  int64_t position = 0;
  for (const size_t u : stratified_order(units, samples, key)) {
    for (int64_t entry = units[u].entries.start; entry < units[u].entries.stop; ++entry, ++position) {
      const RowPlace place = place_row(window, key, units[u].file, entry, position);
      rows.push_back({place.bucket, place.key, position, u});
    }
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

TEST(StratifiedOrder, SpreadsEveryFileEvenly) {
  const auto units = even_units(10, 20, 100);
  const std::vector<size_t> samples{0, 0, 0, 0, 0, 1, 1, 1, 1, 1};
  const auto order = stratified_order(units, samples, {.seed = 1, .epoch = 0});
  ASSERT_EQ(std::set<size_t>(order.begin(), order.end()).size(), units.size());
  // Each tenth of the epoch holds about a tenth of each sample.
  for (size_t part = 0; part < 10; ++part) {
    const auto first = order.begin() + static_cast<std::ptrdiff_t>(part * 20);
    const auto of_sample =
        std::count_if(first, first + 20, [&](size_t u) { return samples[units[u].file] == 0; });
    EXPECT_NEAR(static_cast<double>(of_sample), 10, 2);
  }
  EXPECT_NE(order, stratified_order(units, samples, {.seed = 1, .epoch = 1}));
  EXPECT_NE(order, stratified_order(units, samples, {.seed = 2, .epoch = 0}));
  EXPECT_EQ(order, stratified_order(units, samples, {.seed = 1, .epoch = 0}));
}

TEST(StratifiedOrder, UnitsOfOneFileComeInAnyOrder) {
  const auto units = even_units(1, 1000, 10);
  const std::vector<size_t> samples{0};
  const auto order = stratified_order(units, samples, {.seed = 1, .epoch = 0});
  const auto next = stratified_order(units, samples, {.seed = 1, .epoch = 1});
  ASSERT_EQ(std::set<size_t>(order.begin(), order.end()).size(), units.size());
  double distance = 0;
  double from_next = 0;
  std::vector<double> place(units.size());
  for (size_t i = 0; i < order.size(); ++i) place[order[i]] = static_cast<double>(i);
  for (size_t i = 0; i < order.size(); ++i) {
    distance += std::abs(static_cast<double>(order[i]) - static_cast<double>(i)) / 1e6;
    from_next += std::abs(place[next[i]] - static_cast<double>(i)) / 1e6;
  }
  EXPECT_NEAR(distance, 1 / 3.0, 0.05);  // as of two independent places
  EXPECT_NEAR(from_next, 1 / 3.0, 0.05);
}

TEST(Window, EveryBucketFollowsTheWindow) {
  const Window window = plan_window(1'000'000, 1.0, 50'000, true);
  EXPECT_EQ(window.delays, 32u);
  EXPECT_EQ(window.segment_entries, 3125);
  const OrderKey key{7, 3};
  for (int64_t position = 0; position < 1'000'000; position += 997) {
    const RowPlace place = place_row(window, key, 0, position, position);
    EXPECT_GE(place.bucket, window.first);
    EXPECT_LT(place.bucket, window.num_buckets());
    const int64_t bucket = std::min(place.bucket, window.num_segments - 1);
    EXPECT_LE(bucket - std::max(window.segment(position), window.first), 31);
  }
}

TEST(Window, NoTwoRowsOfABucketHaveTheSameKey) {
  for (const auto& [entries, buffer] : {std::pair{200'000, 3'000}, {200'000, 300'000}, {5, 5}, {1, 1}}) {
    const Window window = plan_window(entries, 1.0, buffer, true);
    std::set<std::pair<int64_t, uint64_t>> parted;  // by what is left of a key without its random bits
    for (int64_t position = 0; position < entries; ++position) {
      const RowPlace place = place_row(window, {7, 3}, 0, position, position);
      const uint64_t last = place.key & ((uint64_t{1} << window.position_bits) - 1);
      ASSERT_TRUE(parted.emplace(place.bucket, last).second) << position;
    }
    EXPECT_LT(window.position_bits, 20);  // the others are random
  }
}

TEST(Window, PlacesManyRowsAsEachOne) {
  for (const bool shuffle : {true, false}) {
    const Window window = plan_window(100'000, 1, 3000, shuffle);
    for (const int64_t entry : {int64_t{0}, int64_t{77}, (int64_t{1} << 32) - 30, (int64_t{5} << 32) + 1}) {
      std::vector<RowPlace> places(500);
      place_rows(window, {9, 2, 1}, 3, entry, 1234, places);
      for (int64_t i = 0; i < 500; ++i) {
        ASSERT_EQ(places[static_cast<size_t>(i)], place_row(window, {9, 2, 1}, 3, entry + i, 1234 + i));
      }
    }
  }
}

TEST(Window, KeepsStreamOrderWhenNotShuffled) {
  const Window window = plan_window(300'000, 1.0, 10, false);
  RowPlace last{0, 0};
  for (int64_t position = 1; position < 300'000; ++position) {
    const RowPlace place = place_row(window, {}, 0, position, position);
    ASSERT_TRUE(place.bucket > last.bucket || (place.bucket == last.bucket && place.key > last.key));
    last = place;
  }
}

TEST(Window, IsAFullPermutationWhenAllFits) {
  const Window window = plan_window(1000, 1.0, 1000, true);
  EXPECT_EQ(window.num_buckets(), 1);
}

TEST(Window, CutsTheLastBucketWithoutAChangeOfOrder) {
  constexpr int64_t kEntries = 300'000;
  for (const int64_t buffer : {kEntries, kEntries / 2}) {
    const Window window = plan_window(kEntries, 1.0, buffer, true);
    Window whole = window;
    whole.last_bits = 0;
    ASSERT_GT(window.last_bits, 0);
    std::vector<OrderedRow> cut;
    std::vector<OrderedRow> uncut;
    for (int64_t position = 0; position < kEntries; position += 7) {
      const RowPlace place = place_row(window, {7, 3}, 0, position, position);
      ASSERT_LT(place.bucket, window.num_buckets());
      cut.push_back({place.bucket, place.key, position, 0});
      const RowPlace plain = place_row(whole, {7, 3}, 0, position, position);
      uncut.push_back({plain.bucket, plain.key, position, 0});
    }
    std::sort(cut.begin(), cut.end());
    std::sort(uncut.begin(), uncut.end());
    for (size_t i = 0; i < cut.size(); ++i) ASSERT_EQ(cut[i].position, uncut[i].position);
    EXPECT_EQ(cut.back().bucket, window.num_buckets() - 1);
  }
}

// The figures of merit on single-class files: 10 classes, batches of 512, a buffer of 5 % of the data.
TEST(Shuffle, QualityOfABufferOfATwentieth) {
  constexpr size_t kFiles = 100;
  constexpr size_t kUnits = 5;
  constexpr int64_t kEntries = 500;
  constexpr size_t kBatch = 512;
  const auto units = even_units(kFiles, kUnits, kEntries);
  std::vector<size_t> samples;
  for (size_t f = 0; f < kFiles; ++f) samples.push_back(f % 10);
  const auto total = static_cast<double>(kFiles * kUnits * kEntries);
  const auto rows = emission(units, samples, static_cast<int64_t>(total / 20), {.seed = 5, .epoch = 2});

  double variance = 0;
  double same_unit = 0;
  size_t batches = 0;
  for (size_t first = 0; first + kBatch <= rows.size(); first += kBatch, ++batches) {
    std::vector<double> classes(10, 0);
    std::vector<double> of_unit(units.size(), 0);
    for (size_t i = first; i < first + kBatch; ++i) {
      ++classes[samples[units[rows[i].unit].file]];
      ++of_unit[rows[i].unit];
    }
    for (const double count : classes) variance += (count - kBatch / 10.0) * (count - kBatch / 10.0) / 10;
    for (const double count : of_unit) same_unit += count * (count - 1);
  }
  variance /= static_cast<double>(batches);
  same_unit /= static_cast<double>(batches) * kBatch * (kBatch - 1);
  const double hypergeometric = kBatch * 0.1 * 0.9 * (total - kBatch) / (total - 1);
  EXPECT_LT(variance / hypergeometric, 1.15);
  const double by_chance = (kEntries - 1) / (total - 1);
  EXPECT_LT(same_unit / by_chance, 13);
  EXPECT_GT(same_unit / by_chance, 7);
}

TEST(SplitPart, PartsAreDisjointAndComplete) {
  // Of one sample two files, of another one.
  const std::array<int64_t, 3> entries = {1'001, 7, 98'999};
  std::vector<FileInfo> files(entries.size());
  for (size_t file = 0; file < files.size(); ++file) files[file].num_entries = entries[file];
  files[1].sample = 1;
  const SplitOrder order(files, 42);
  const SplitPart train = SplitPart{}.between(0, 0.7);
  const SplitPart val = SplitPart{}.between(1 - 0.3, 1);
  std::array<int64_t, 3> in_val{};
  for (size_t file = 0; file < files.size(); ++file) {
    for (int64_t entry = 0; entry < entries[file]; ++entry) {
      const bool a = in_part(train, order, file, entry);
      const bool b = in_part(val, order, file, entry);
      ASSERT_NE(a, b);
      in_val[file] += b ? 1 : 0;
    }
  }
  EXPECT_EQ(in_val[1], 2);
  EXPECT_EQ(in_val[0] + in_val[2], 30'000);
  EXPECT_NEAR(static_cast<double>(in_val[0]), 300, 5 * std::sqrt(1'001 * 0.21));
}

TEST(SplitPart, PartsOfPartsMeetAtTheSameEdges) {
  const SplitPart whole;
  EXPECT_TRUE(united(whole.between(0, 0.3), whole.between(0.3, 1)).everything());
  const SplitPart rest = united(whole.between(0, 1 / 3.0), whole.between(2 / 3.0, 1));
  ASSERT_EQ(rest.intervals.size(), 2u);
  EXPECT_NEAR(rest.share(), 2 / 3.0, 1e-12);
  FileInfo file;
  file.num_entries = 20'000;
  const SplitOrder order({file}, 5);
  std::vector<SplitPart> parts;
  for (int i = 0; i < 7; ++i) parts.push_back(rest.between(i / 7.0, (i + 1) / 7.0));
  for (int64_t entry = 0; entry < 20'000; ++entry) {
    const auto in =
        std::ranges::count_if(parts, [&](const auto& part) { return in_part(part, order, 0, entry); });
    ASSERT_EQ(in, in_part(rest, order, 0, entry) ? 1 : 0);
  }
}

}  // namespace
}  // namespace sapwood
