#include "sapwood/source/units.h"

#include <gtest/gtest.h>

namespace sapwood {
namespace {

// A table of columns that lie in these blocks.
TableOutline table_of(int64_t entries, std::vector<EntryRange> clusters,
                      std::vector<std::vector<StorageBlock>> blocks) {
  TableOutline table{.num_entries = entries, .clusters = std::move(clusters)};
  for (std::vector<StorageBlock>& of_column : blocks)
    table.columns.push_back({.blocks = std::move(of_column)});
  return table;
}

// Blocks of `entries_each` entries of `bytes_per_entry` bytes.
std::vector<StorageBlock> even_blocks(int64_t entries, int64_t entries_each, uint64_t bytes_per_entry) {
  std::vector<StorageBlock> blocks;
  for (int64_t first = 0; first < entries; first += entries_each) {
    const auto count = static_cast<uint64_t>(std::min(entries_each, entries - first));
    blocks.push_back({first, count * bytes_per_entry / 2, count * bytes_per_entry});
  }
  return blocks;
}

void expect_covers(const std::vector<Unit>& units, int64_t entries) {
  int64_t next = 0;
  for (const Unit& unit : units) {
    EXPECT_EQ(unit.entries.start, next);
    EXPECT_GT(unit.entries.size(), 0);
    next = unit.entries.stop;
  }
  EXPECT_EQ(next, entries);
}

TEST(PlanUnits, MergesSmallClusters) {
  constexpr int64_t kEntries = 1'000'000;
  std::vector<EntryRange> clusters;
  for (int64_t first = 0; first < kEntries; first += 1000) clusters.push_back({first, first + 1000});
  const TableOutline table = table_of(kEntries, clusters, {even_blocks(kEntries, 1000, 80)});
  const auto units = plan_units(table, 3);
  expect_covers(units, kEntries);
  EXPECT_NEAR(static_cast<double>(units.size()), 80e6 / (8 << 20), 2);
  uint64_t decoded = 0;
  for (const Unit& unit : units) {
    EXPECT_EQ(unit.file, 3u);
    EXPECT_EQ(unit.entries.start % 1000, 0);
    decoded += unit.decoded_bytes;
  }
  EXPECT_EQ(decoded, 80u * kEntries);
}

TEST(PlanUnits, MergesLessWhereThereIsLittleData) {
  std::vector<EntryRange> clusters;
  for (int64_t first = 0; first < 100'000; first += 1000) clusters.push_back({first, first + 1000});
  const TableOutline table =
      table_of(100'000, clusters, {even_blocks(100'000, 1000, 4), even_blocks(100'000, 2000, 4)});
  const auto units = plan_units(table, 0, {.target_entries = 2500});
  expect_covers(units, 100'000);
  for (const Unit& unit : units)
    EXPECT_EQ(unit.entries.size(), 4000);  // the second column is cut nowhere else
  const TableOutline first = table_of(100'000, clusters, {even_blocks(100'000, 1000, 4)});
  EXPECT_EQ(plan_units(first, 0, {.target_entries = 0}).size(), 100u);
  EXPECT_EQ(plan_units(first, 0, {.target_bytes = 4000, .target_entries = 1 << 20}).size(), 100u);
}

TEST(PlanUnits, CutsLargeClustersWhereColumnsShareABlockStart) {
  constexpr int64_t kEntries = 10'000'000;
  // 4-byte and 8-byte columns whose pages start together every 262144 entries.
  const TableOutline table = table_of(kEntries, {{0, kEntries}},
                                      {even_blocks(kEntries, 262144, 4), even_blocks(kEntries, 131072, 8)});
  const auto units = plan_units(table, 0);
  expect_covers(units, kEntries);
  EXPECT_GT(units.size(), 5u);
  uint64_t decoded = 0;
  for (const Unit& unit : units) decoded += unit.decoded_bytes;
  EXPECT_EQ(decoded, 12u * kEntries);
}

TEST(PlanUnits, KeepsStraddlingBlocksToATenth) {
  constexpr int64_t kEntries = 5'000'000;
  // Baskets of columns never start together.
  const TableOutline table = table_of(
      kEntries, {{0, kEntries}},
      {even_blocks(kEntries, 7919, 4), even_blocks(kEntries, 5009, 40), even_blocks(kEntries, 3001, 8)});
  const auto units = plan_units(table, 0);
  expect_covers(units, kEntries);
  uint64_t decoded = 0;
  for (const Unit& unit : units) decoded += unit.decoded_bytes;
  EXPECT_LT(static_cast<double>(decoded), 1.11 * 52 * kEntries);
  EXPECT_GE(decoded, 52u * kEntries);
}

TEST(PlanUnits, EmptyAndTinyTables) {
  EXPECT_TRUE(plan_units(table_of(0, {}, {{}}), 0).empty());
  expect_covers(plan_units(table_of(1, {{0, 1}}, {even_blocks(1, 1, 4)}), 0), 1);
  // No stored column at all, such as when only the sample's label is asked for.
  expect_covers(plan_units(table_of(50, {{0, 50}}, {}), 0), 50);
  const TableOutline table = table_of(100, {{0, 100}}, {even_blocks(100, 10, 4)});
  expect_covers(plan_units(table, 0, {.max_entries = 37}), 37);
  EXPECT_EQ(plan_units(table, 0, {.max_entries = 37}).front().decoded_bytes, 160u);
}

}  // namespace
}  // namespace sapwood
