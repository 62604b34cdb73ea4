#include "sapwood/loader/copies.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>

namespace sapwood {
namespace {

const std::string kJets = std::string(SAPWOOD_TEST_DATA) + "/../../examples/data/";

std::shared_ptr<const BalancedRows> balanced(const Balance& balance, uint64_t memory = 1 << 30) {
  const auto dataset =
      sapwood::open({{"QCD", {kJets + "QCD_*.root"}, {}}, {"top", {kJets + "Tbqq_*.root"}, {}}});
  auto units = dataset->survey(dataset->select({"jet_pt"}), true).units;
  const CellSource source{dataset, std::make_shared<const std::vector<Unit>>(std::move(units)), {0, 1, 2, 3}};
  auto cells = std::make_shared<const Cells>(balance, source, 2, memory);
  Quotas quotas = plan_quotas(balance, cells->classes(), cells->rows());
  return std::make_shared<const BalancedRows>(BalancedRows{std::move(cells), std::move(quotas)});
}

// By unit and entry, of each cell.
using Uses = std::map<std::pair<size_t, size_t>, int64_t>;

void add_epoch(const std::shared_ptr<const BalancedRows>& rows, uint64_t epoch, const Readings& readings,
               std::vector<Uses>& uses) {
  const EpochCopies copies(rows, {9, epoch}, true);
  for (const Reading& reading : readings.readings) {
    const EntryRange& entries = rows->cells->units()[reading.unit].entries;
    UnitCopies of_unit(copies, reading, entries.start);
    const Cells::Codes codes = rows->cells->codes(reading.unit);
    for (size_t entry = 0; entry < static_cast<size_t>(entries.size()); ++entry) {
      const int64_t count = of_unit.next();
      if (codes[entry] == 0) {
        ASSERT_EQ(count, 0);
      } else {
        uses[codes[entry] - 1][{reading.unit, entry}] += count;
      }
    }
  }
}

TEST(EpochCopies, EveryEpochHasTheQuotaAndRowsAreUsedEvenly) {
  const Balance by_bins{.bins = {{"jet_pt", {500, 600, 700, 800, 1000}}}, .rows = 7000, .most_copies = 5};
  for (const Balance& balance :
       {Balance{.fractions = {{"QCD", 0.3}, {"top", 0.7}}, .most_copies = 2.5}, by_bins}) {
    const auto rows = balanced(balance);
    const Readings readings = plan_readings(*rows, 500, true);
    std::vector<Uses> all(rows->quotas.of_cells.size());
    for (uint64_t epoch = 0; epoch < 5; ++epoch) {
      std::vector<Uses> uses(all.size());
      add_epoch(rows, epoch, readings, uses);
      for (size_t c = 0; c < uses.size(); ++c) {
        int64_t sum = 0;
        for (const auto& [row, count] : uses[c]) {
          sum += count;
          all[c][row] += count;
        }
        EXPECT_EQ(sum, rows->quotas.of_cells[c]);
        EXPECT_EQ(std::ssize(uses[c]), rows->cells->rows()[c]);
      }
    }
    for (const Uses& uses : all) {
      int64_t least = INT64_MAX;
      int64_t most = 0;
      for (const auto& [row, count] : uses) {
        least = std::min(least, count);
        most = std::max(most, count);
      }
      EXPECT_LE(most - least, 1);
    }
  }
}

TEST(EpochCopies, TakesRowsInOrderWhereNothingIsShuffled) {
  const auto rows = balanced({.by = "part_isPhoton[0] > 0", .rows = 3000, .most_copies = 3}, 1 << 30);
  const EpochCopies copies(rows, {9, 0}, false);
  for (size_t cell = 0; cell < rows->cells->rows().size(); ++cell) {
    const int64_t stored = rows->cells->rows()[cell];
    const int64_t quota = rows->quotas.of_cells[cell];
    for (int64_t place = 0; place < stored; ++place)
      ASSERT_EQ(copies.copies(cell, place, {}), quota / stored + (place < quota % stored ? 1 : 0));
  }
}

TEST(UnitCopies, BeginAtAnyEntry) {
  for (const uint64_t memory : {uint64_t{1} << 30, uint64_t{1} << 14}) {  // with codes that are kept, or read
    const auto rows = balanced({.by = "part_isPhoton[0] > 0", .rows = 3000, .most_copies = 3}, memory);
    EXPECT_EQ(rows->cells->are_kept(), memory > (1 << 20));
    const EpochCopies copies(rows, {9, 3}, true);
    for (const Reading& reading : plan_readings(*rows, 100, true).readings) {
      const EntryRange& entries = rows->cells->units()[reading.unit].entries;
      UnitCopies whole(copies, reading, entries.start);
      for (int64_t entry = entries.start; entry < entries.start + 50; ++entry) whole.next();
      UnitCopies later(copies, reading, entries.start + 50);
      for (int64_t entry = entries.start + 50; entry < entries.stop; ++entry)
        ASSERT_EQ(whole.next(), later.next());
    }
  }
}

TEST(Readings, OfScarceUnitsAreMany) {
  const auto rows = balanced({.fractions = {{"QCD", 0.9}, {"top", 0.1}}});
  const auto count = [&](int64_t buffer_rows, bool shuffle, size_t sample) {
    const Readings planned = plan_readings(*rows, buffer_rows, shuffle);
    const auto& files = std::array<size_t, 4>{0, 0, 1, 1};
    return std::ranges::count_if(planned.units, [&](const Unit& unit) { return files[unit.file] == sample; });
  };
  EXPECT_EQ(count(500, true, 0), 2 * count(500, false, 0));  // 1.8 times the mean density
  EXPECT_EQ(count(500, true, 1), count(500, false, 1));
  EXPECT_EQ(count(10'000, true, 0), count(500, false, 0));  // all fit the buffer
}

}  // namespace
}  // namespace sapwood
