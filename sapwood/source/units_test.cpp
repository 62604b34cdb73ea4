#include "sapwood/source/units.h"

#include <gtest/gtest.h>

#include <map>

namespace sapwood {
namespace {

// A table that knows only where its blocks lie.
class BlocksReader final : public Reader {
 public:
  BlocksReader(int64_t entries, std::vector<EntryRange> clusters,
               std::vector<std::vector<StorageBlock>> blocks)
      : entries_(entries), clusters_(std::move(clusters)), blocks_(std::move(blocks)) {}
  const std::string& file() const override { return name_; }
  const std::string& object() const override { return name_; }
  const char* format() const override { return "blocks"; }
  const Schema& schema() const override { return schema_; }
  int64_t num_entries() const override { return entries_; }
  std::span<const EntryRange> clusters() const override { return clusters_; }
  std::vector<StorageBlock> blocks(size_t column) const override { return blocks_[column]; }
  std::unique_ptr<FetchedColumns> fetch(std::span<const size_t>, EntryRange,
                                        const std::shared_ptr<MemoryPool>&,
                                        const std::stop_token&) const override {
    throw UnsupportedError("blocks only");
  }
  Column decode(const FetchedColumns&, size_t, const std::shared_ptr<MemoryPool>&,
                const Buffer&) const override {
    throw UnsupportedError("blocks only");
  }

 private:
  std::string name_ = "test";
  Schema schema_;
  int64_t entries_;
  std::vector<EntryRange> clusters_;
  std::vector<std::vector<StorageBlock>> blocks_;
};

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
  const BlocksReader reader(kEntries, clusters, {even_blocks(kEntries, 1000, 80)});
  const auto units = plan_units(reader, 3, {0});
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
  const BlocksReader reader(100'000, clusters,
                            {even_blocks(100'000, 1000, 4), even_blocks(100'000, 2000, 4)});
  const auto units = plan_units(reader, 0, {0, 1}, {.target_entries = 2500});
  expect_covers(units, 100'000);
  for (const Unit& unit : units)
    EXPECT_EQ(unit.entries.size(), 4000);  // the second column is cut nowhere else
  EXPECT_EQ(plan_units(reader, 0, {0}, {.target_entries = 0}).size(), 100u);
  EXPECT_EQ(plan_units(reader, 0, {0}, {.target_bytes = 4000, .target_entries = 1 << 20}).size(), 100u);
}

TEST(PlanUnits, CutsLargeClustersWhereColumnsShareABlockStart) {
  constexpr int64_t kEntries = 10'000'000;
  // 4-byte and 8-byte columns whose pages start together every 262144 entries.
  const BlocksReader reader(kEntries, {{0, kEntries}},
                            {even_blocks(kEntries, 262144, 4), even_blocks(kEntries, 131072, 8)});
  const auto units = plan_units(reader, 0, {0, 1});
  expect_covers(units, kEntries);
  EXPECT_GT(units.size(), 5u);
  uint64_t decoded = 0;
  for (const Unit& unit : units) decoded += unit.decoded_bytes;
  EXPECT_EQ(decoded, 12u * kEntries);
}

TEST(PlanUnits, KeepsStraddlingBlocksToATenth) {
  constexpr int64_t kEntries = 5'000'000;
  // Baskets of columns never start together.
  const BlocksReader reader(
      kEntries, {{0, kEntries}},
      {even_blocks(kEntries, 7919, 4), even_blocks(kEntries, 5009, 40), even_blocks(kEntries, 3001, 8)});
  const auto units = plan_units(reader, 0, {0, 1, 2});
  expect_covers(units, kEntries);
  uint64_t decoded = 0;
  for (const Unit& unit : units) decoded += unit.decoded_bytes;
  EXPECT_LT(static_cast<double>(decoded), 1.11 * 52 * kEntries);
  EXPECT_GE(decoded, 52u * kEntries);
}

TEST(PlanUnits, EmptyAndTinyTables) {
  EXPECT_TRUE(plan_units(BlocksReader(0, {}, {{}}), 0, {0}).empty());
  expect_covers(plan_units(BlocksReader(1, {{0, 1}}, {even_blocks(1, 1, 4)}), 0, {0}), 1);
  // No stored column at all, such as when only the sample's label is asked for.
  expect_covers(plan_units(BlocksReader(50, {{0, 50}}, {}), 0, {}), 50);
  const BlocksReader reader(100, {{0, 100}}, {even_blocks(100, 10, 4)});
  expect_covers(plan_units(reader, 0, {0}, {.max_entries = 37}), 37);
  EXPECT_EQ(plan_units(reader, 0, {0}, {.max_entries = 37}).front().decoded_bytes, 160u);
}

}  // namespace
}  // namespace sapwood
