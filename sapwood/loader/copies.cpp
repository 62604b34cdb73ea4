#include "sapwood/loader/copies.h"

#include <algorithm>
#include <cmath>

namespace sapwood {
namespace {

constexpr double kDenser = 1.5;  // than the mean, before a unit is read once more
__extension__ using Wide = unsigned __int128;

constexpr double kSegmentsOfBuffer = 16;  // of the shuffle window: rows that wait are half of it

}  // namespace

Readings plan_readings(const BalancedRows& rows, int64_t buffer_rows, bool shuffle) {
  const Cells& cells = *rows.cells;
  const Quotas& quotas = rows.quotas;
  std::vector<double> density;  // rows per entry, of each unit
  double entries = 0;
  for (size_t u = 0; u < cells.units().size(); ++u) {
    double expected = 0;
    for (const Cells::Run& run : cells.runs(u)) {
      expected += static_cast<double>(run.rows) * static_cast<double>(quotas.of_cells[run.cell]) /
                  static_cast<double>(cells.rows()[run.cell]);
    }
    const auto size = static_cast<double>(cells.units()[u].entries.size());
    density.push_back(expected > 0 ? expected / size : 0);
    if (expected > 0) entries += size;
  }
  const auto all = static_cast<double>(quotas.rows);
  const double usual = kDenser * std::min(all / std::max(entries, 1.0), 1.0);
  const bool once = !shuffle || quotas.rows <= buffer_rows;
  const double most = once ? 1 : std::ceil(kSegmentsOfBuffer * all / static_cast<double>(buffer_rows));
  Readings planned;
  for (size_t u = 0; u < density.size(); ++u) {
    if (density[u] == 0) continue;
    const auto passes = static_cast<int64_t>(std::clamp(std::ceil(density[u] / usual - 1e-9), 1.0, most));
    for (int64_t pass = 0; pass < passes; ++pass) {
      planned.units.push_back(cells.units()[u]);
      planned.readings.push_back({u, pass, passes, density[u] / static_cast<double>(passes)});
    }
  }
  return planned;
}

EpochCopies::EpochCopies(std::shared_ptr<const BalancedRows> rows, const OrderKey& key, bool shuffle)
    : rows_(std::move(rows)) {
  for (size_t c = 0; c < rows_->quotas.of_cells.size(); ++c) {
    const auto stored = static_cast<uint64_t>(std::max<int64_t>(rows_->cells->rows()[c], 1));
    const auto quota = static_cast<uint64_t>(rows_->quotas.of_cells[c]);
    const Wide dealt = Wide{key.epoch} * quota;  // in the epochs before
    std::optional<Permutation> order;
    if (shuffle) order.emplace(stored, cell_bits({key.seed}, c));
    cells_.push_back({.order = order,
                      .stored = stored,
                      .rounds = quota / stored,
                      .more = quota % stored,
                      .first = static_cast<uint64_t>(dealt % stored),
                      .begin = cell_bits(key, c)[0]});
  }
}

UnitCopies::UnitCopies(const EpochCopies& epoch, const Reading& reading, int64_t entry)
    : epoch_(&epoch),
      reading_(reading),
      codes_(epoch.cells().codes(reading.unit)),
      places_(epoch.cells().rows().size() + 1) {
  for (const Cells::Run& run : epoch.cells().runs(reading.unit)) places_[run.cell + 1] = run.first;
  const auto before = static_cast<size_t>(entry - epoch.cells().units()[reading.unit].entries.start);
  for (; entry_ < before; ++entry_) ++places_[codes_[entry_]];
}

}  // namespace sapwood
