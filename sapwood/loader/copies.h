#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "sapwood/loader/balance.h"
#include "sapwood/loader/cells.h"
#include "sapwood/loader/permutation.h"
#include "sapwood/loader/row_order.h"

namespace sapwood {

/// The rows of a balanced epoch.
struct BalancedRows {
  std::shared_ptr<const Cells> cells;
  Quotas quotas;
};

/// What an epoch reads: units, some of them several times.
struct Readings {
  std::vector<Unit> units;        ///< in file order, those that are read again one after another
  std::vector<Reading> readings;  ///< of each
};

/// Units whose rows come more densely than others are read several times, a share of their rows each time, so
/// that none fills the shuffle window at once: so often that no reading has half as many rows per entry again
/// as the mean of all, or as one copy of each; but no more often than the window has segments. Units without
/// rows are left out. So at most two thirds of the entries, or of the epoch's rows where these are more, are
/// decoded besides.
Readings plan_readings(const BalancedRows& rows, int64_t buffer_rows, bool shuffle);

/// How often each row comes in an epoch. A permutation orders a cell's N rows, or they stay in the order of
/// the files where nothing is shuffled; the epochs deal them out in turn, K each, round after round: so an
/// epoch has exactly K rows of the cell, and over epochs each row comes equally often, or once more.
/// Immutable; safe from many threads.
class EpochCopies {
 public:
  EpochCopies(std::shared_ptr<const BalancedRows> rows, const OrderKey& key, bool shuffle);
  int64_t num_rows() const { return rows_->quotas.rows; }
  const Cells& cells() const { return *rows_->cells; }
  /// The copies of a row by its place in the cell: those that come with one reading of its unit.
  int64_t copies(size_t cell, int64_t place, const Reading& reading) const {
    const Cell& of = cells_[cell];
    const auto number = static_cast<uint64_t>(place);
    const uint64_t turn = of.order ? (*of.order)(number) : number;
    const uint64_t since = turn >= of.first ? turn - of.first : turn + of.stored - of.first;
    const auto copies = static_cast<int64_t>(of.rounds + (since < of.more ? 1 : 0));
    if (reading.passes == 1 || copies == 0) return copies;
    // The copies of a row go through the passes in turn, from one that is drawn.
    const auto passes = static_cast<uint64_t>(reading.passes);
    const uint64_t begin = (mixed_bits(number ^ of.begin) >> 32) * passes >> 32;
    const auto skipped =
        static_cast<int64_t>((static_cast<uint64_t>(reading.pass) + passes - begin) % passes);
    return copies > skipped ? (copies - skipped - 1) / reading.passes + 1 : 0;
  }

 private:
  struct Cell {
    std::optional<Permutation> order;  // that of the files where there is none
    uint64_t stored = 0;
    uint64_t rounds = 0;  // that all rows come
    uint64_t more = 0;    // rows come once more,
    uint64_t first = 0;   // from this turn on
    uint64_t begin = 0;   // draws the pass of a row's first copy
  };
  std::shared_ptr<const BalancedRows> rows_;
  std::vector<Cell> cells_;
};

/// The copies of the rows of one reading of a unit, entry by entry.
class UnitCopies {
 public:
  /// Begins at `entry` of the file. Throws what `Cells::codes` does.
  UnitCopies(const EpochCopies& epoch, const Reading& reading, int64_t entry);
  /// Of the next entry.
  int64_t next() {
    const size_t code = codes_[entry_++];
    return code == 0 ? 0 : epoch_->copies(code - 1, places_[code]++, reading_);
  }

 private:
  const EpochCopies* epoch_;
  Reading reading_;
  Cells::Codes codes_;
  std::vector<int64_t> places_;  // in its cell, of the next row of each code
  size_t entry_ = 0;             // of the unit
};

}  // namespace sapwood
