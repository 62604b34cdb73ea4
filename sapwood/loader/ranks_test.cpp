#include "sapwood/loader/ranks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>

#include "sapwood/base/error.h"

namespace sapwood {
namespace {

using Row = std::pair<size_t, int64_t>;  // file and entry

// Files of one to five units of 1 to 80 entries.
std::vector<Unit> random_units(std::mt19937_64& random, std::vector<size_t>& sample_of_file) {
  std::vector<Unit> units;
  const size_t files = 1 + random() % 6;
  for (size_t file = 0; file < files; ++file) {
    sample_of_file.push_back(random() % 2);
    int64_t entry = 0;
    for (size_t u = 0; u <= random() % 5; ++u) {
      const int64_t stop = entry + 1 + static_cast<int64_t>(random() % 80);
      units.push_back({file, {entry, stop}, 100, 100});
      entry = stop;
    }
  }
  return units;
}

// What the pipeline delivers: the rows of a rank in the order of their places.
std::vector<std::pair<RowPlace, Row>> rows_in_order(const LegPlan& leg, const OrderKey& key, int64_t rank) {
  const RankStream& stream = leg.stream(rank);
  std::vector<std::pair<RowPlace, Row>> rows;
  for (const StreamUnit& piece : stream.units) {
    for (int64_t entry = piece.unit.entries.start; entry < piece.unit.entries.stop; ++entry) {
      if (!leg.filter().keeps(piece.number, piece.unit.file, entry)) continue;
      const int64_t position = piece.position + entry - piece.unit.entries.start;
      rows.push_back(
          {place_row(stream.window, key, piece.unit.file, entry, position), {piece.unit.file, entry}});
    }
  }
  std::ranges::sort(rows);
  return rows;
}

TEST(PlanBatches, GivesEachRankAsMany) {
  for (int64_t rows = 0; rows < 60; ++rows) {
    for (int64_t ranks = 1; ranks <= 8; ++ranks) {
      for (int64_t size = 1; size < 9; ++size) {
        for (const bool drop : {false, true}) {
          std::set<int64_t> counts;
          int64_t delivered = 0;
          try {
            for (int64_t rank = 0; rank < ranks; ++rank) {
              const BatchPlan plan = plan_batches(rows, rank, ranks, size, drop);
              counts.insert(plan.batches);
              delivered += plan.rows;
              int64_t sum = 0;
              for (int64_t b = 0; b < plan.batches; ++b) {
                ASSERT_EQ(plan.rows_before(b, size), sum);
                const int64_t of_batch = plan.rows_of(b, size);
                ASSERT_TRUE(of_batch >= 1 && of_batch <= size) << rows << ' ' << ranks << ' ' << size;
                if (drop) {
                  ASSERT_EQ(of_batch, size);
                }
                sum += of_batch;
              }
              ASSERT_EQ(sum, plan.rows);
            }
          } catch (const ConfigError&) {
            ASSERT_TRUE(!drop && rows % ranks != 0 && (rows < ranks || size == 1));
            continue;
          }
          ASSERT_EQ(counts.size(), 1u);
          ASSERT_GE(delivered, drop ? rows / (ranks * size) * ranks * size : rows);
        }
      }
    }
  }
}

TEST(LegPlan, ChainsOfRestartsCoverEachRowOnce) {
  std::mt19937_64 random(4);
  for (int chain = 0; chain < 300; ++chain) {
    std::vector<size_t> sample_of_file;
    const std::vector<Unit> units = random_units(random, sample_of_file);
    EpochOrder order{units, sample_of_file, {random(), random() % 4}};
    order.shuffle = random() % 4 != 0;
    order.buffer_rows = 1 + static_cast<int64_t>(random() % 300);
    std::vector<FileInfo> files(sample_of_file.size());
    for (size_t file = 0; file < files.size(); ++file) files[file].sample = sample_of_file[file];
    for (const Unit& unit : units) files[unit.file].num_entries = unit.entries.stop;
    order.split = std::make_shared<SplitOrder>(files, order.key.seed);
    if (random() % 2 == 0) order.part = order.part.between(0.1, 0.8);

    std::multiset<Row> expected;
    for (const Unit& unit : units) {
      for (int64_t entry = unit.entries.start; entry < unit.entries.stop; ++entry) {
        if (in_part(order.part, *order.split, unit.file, entry)) expected.insert({unit.file, entry});
      }
    }
    std::multiset<Row> delivered;
    std::vector<Leg> closed;
    for (bool last = false; !last;) {
      last = random() % 4 == 0;
      const auto ranks = 1 + static_cast<int64_t>(random() % 8);
      const auto size = 2 + static_cast<int64_t>(random() % 12);
      const LegPlan leg(order, closed, ranks, 2);
      OrderKey key = order.key;
      key.leg = static_cast<uint32_t>(closed.size());
      // How many batches each rank has delivered when the leg ends.
      int64_t left = 0;
      for (int64_t rank = 0; rank < ranks; ++rank) left += std::ssize(rows_in_order(leg, key, rank));
      if (left < ranks) break;
      const int64_t all = plan_batches(left, 0, ranks, size, false).batches;
      const int64_t batches = last ? all : static_cast<int64_t>(random() % static_cast<uint64_t>(all));
      for (int64_t rank = 0; rank < ranks; ++rank) {
        const auto rows = rows_in_order(leg, key, rank);
        const BatchPlan plan = plan_batches(left, rank, ranks, size, false);
        ASSERT_EQ(plan.rows, std::ssize(rows));
        const auto count = static_cast<size_t>(plan.rows_before(batches, size));
        for (size_t i = 0; i < count; ++i) delivered.insert(rows[i].second);
        const RowPlace end = leg.place_after(rank, batches, size);
        ASSERT_EQ(end, count == 0 ? RowPlace{} : rows[count - 1].first);
      }
      if (batches > 0) closed.push_back({ranks, size, batches});
      if (last) {
        ASSERT_EQ(delivered, expected);
      }
    }
    for (const Row& row : delivered) ASSERT_EQ(delivered.count(row), 1u);
  }
}

TEST(LegPlan, DealsUnitsEvenlyAndCutsFew) {
  std::vector<Unit> units;
  for (size_t u = 0; u < 100; ++u) units.push_back({u, {0, 1000}, 8000, 8000});
  const std::vector<size_t> samples(100, 0);
  EpochOrder order{units, samples, {3, 0}};
  order.buffer_rows = 5000;
  const LegPlan leg(order, {}, 7, 1);
  size_t pieces = 0;
  for (int64_t rank = 0; rank < 7; ++rank) {
    pieces += leg.stream(rank).units.size();
    EXPECT_NEAR(static_cast<double>(leg.stream(rank).num_entries), 100'000 / 7.0, 1);
  }
  EXPECT_LE(pieces, 106u);
}

TEST(LegPlan, LeavesOutUnitsWithoutRows) {
  std::vector<Unit> units;
  for (size_t u = 0; u < 100; ++u)
    units.push_back({0, {static_cast<int64_t>(u) * 100, static_cast<int64_t>(u) * 100 + 100}, 8, 8});
  const std::vector<size_t> samples{0};
  EpochOrder order{units, samples, {3, 0}};
  order.buffer_rows = 500;
  const std::vector<Leg> closed{{2, 100, 40}};  // 8,000 of 10,000 rows
  const LegPlan leg(order, closed, 1, 1);
  EXPECT_LT(leg.stream(0).units.size(), 50u);
  EXPECT_EQ(leg.batches(0, 100)->rows, 2000);
}

}  // namespace
}  // namespace sapwood
