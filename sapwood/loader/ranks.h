#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "sapwood/loader/copies.h"
#include "sapwood/loader/division.h"
#include "sapwood/loader/row_order.h"
#include "sapwood/source/units.h"

namespace sapwood {

/// A stretch of an epoch that one number of ranks went through together, each delivering `batches` batches.
struct Leg {
  int64_t world_size = 1;
  int64_t batch_size = 1;
  int64_t batches = 0;
  bool operator==(const Leg&) const = default;
};

/// How the rows of a rank come in batches, so that every rank has the same number of them.
struct BatchPlan {
  int64_t rows = 0;          ///< that are delivered
  int64_t dropped = 0;       ///< and that are not
  int64_t batches = 0;       ///< the same on each rank
  bool halves_last = false;  ///< a rank one row short of a batch more cuts its last one in two

  /// Rows of batch `number`, and of all batches before it.
  int64_t rows_of(int64_t number, int64_t batch_size) const;
  int64_t rows_before(int64_t number, int64_t batch_size) const;
};

/// For a rank's share of `rows`: a world_size-th, the first `rows % world_size` ranks having one row more.
/// Throws ConfigError where ranks can't have equally many batches: fewer rows than ranks; or batches of one
/// row, and rows that don't part evenly.
BatchPlan plan_batches(int64_t rows, int64_t rank, int64_t world_size, int64_t batch_size,
                       bool drop_remainder);

/// Rows from one on, up to another, in the order of entries and of their copies.
struct CopyRange {
  struct Place {
    int64_t entry = 0;
    int64_t copy = 0;
    auto operator<=>(const Place&) const = default;
  };
  Place first{};
  Place end{INT64_MAX, 0};
  bool contains(int64_t entry, int64_t copy) const {
    const Place place{entry, copy};
    return first <= place && place < end;
  }
};

/// A reading of a unit, or a piece of one, in the stream of entries that a rank reads.
struct StreamUnit {
  Unit unit;             ///< a piece keeps the byte counts of the whole
  size_t number = 0;     ///< of the whole reading, in file order
  int64_t position = 0;  ///< in the stream, of its first entry
  Reading reading{};
  CopyRange rows{};  ///< of a piece: those of its entries that it gives
};

/// What one rank reads in a leg, in order.
struct RankStream {
  std::vector<StreamUnit> units;
  int64_t num_entries = 0;
  Window window;
};

/// All that fixes the order of an epoch's rows, whatever the number of ranks.
struct EpochOrder {
  std::span<const Unit> units;  ///< in file order; of a balanced epoch those of its readings
  std::span<const size_t> sample_of_file;
  OrderKey key;
  SplitPart part{};
  std::shared_ptr<const SplitOrder> split{};  ///< needed where the part is not everything
  bool shuffle = true;
  int64_t buffer_rows = 0;  ///< of each rank
  bool drop_remainder = false;
  double kept = 1;  ///< the share of the rows that are in the part and pass the test, at most
  const DivisionTest* values = nullptr;         ///< that rows must pass; needed where they are counted
  std::span<const Reading> readings{};          ///< of a balanced epoch, one for each of `units`
  std::shared_ptr<const EpochCopies> copies{};  ///< of its rows
};

/// Which rows of an epoch are still to come: those of the part of a split that were not delivered in the legs
/// before, whatever their values. Immutable; safe from many threads.
class RowFilter {
 public:
  /// `split` is needed where the part is not everything.
  RowFilter(const SplitPart& part, std::shared_ptr<const SplitOrder> split)
      : part_(part), split_(std::move(split)) {}
  bool everything() const { return part_.everything() && legs_.empty(); }
  /// Whether the row of an entry of unit `number`, or a copy of it that comes with that reading, is still to
  /// come.
  bool keeps(size_t number, size_t file, int64_t entry, int64_t copy = 0) const;

 private:
  friend class LegPlan;
  struct Piece {
    EntryRange entries;
    size_t rank = 0;
    int64_t position = 0;
    int64_t pass = 0;
    CopyRange rows{};
  };
  struct ClosedLeg {
    OrderKey key;
    std::vector<Window> windows;             // of each rank
    std::vector<RowPlace> last;              // that was delivered, of each rank
    std::vector<std::vector<Piece>> pieces;  // of each unit
    bool delivered(size_t number, size_t file, int64_t entry, int64_t copy) const;
  };
  SplitPart part_;
  std::shared_ptr<const SplitOrder> split_;
  std::vector<ClosedLeg> legs_;
};

/// Whether a row is still to come, values and all.
struct RowTest {
  RowFilter filter;
  const DivisionTest* values = nullptr;
  std::shared_ptr<const EpochCopies> copies{};  ///< of a balanced epoch, which tell more than `keeps`

  bool everything() const { return values == nullptr && !copies && filter.everything(); }
  bool keeps(size_t number, size_t file, int64_t entry) const {
    return (values == nullptr || (*values)(file, entry)) && filter.keeps(number, file, entry);
  }
};

/// A leg, dealt out: units go in their order to the rank that is short of most rows, and are cut where that
/// has all of its share.
class LegPlan {
 public:
  /// The leg after `closed`. Counts rows of units where that is needed: with several ranks, or after others;
  /// `unit_rows` are those of the part when they are known. Throws ConfigError as `plan_batches`.
  LegPlan(const EpochOrder& order, std::span<const Leg> closed, int64_t world_size, size_t threads,
          const std::vector<int64_t>* unit_rows = nullptr);

  const RowFilter& filter() const { return test_.filter; }
  const std::shared_ptr<const EpochCopies>& copies() const { return test_.copies; }
  const RankStream& stream(int64_t rank) const { return streams_[static_cast<size_t>(rank)]; }
  /// The share of a rank's entries whose rows come; at most, where rows were not counted.
  double kept(int64_t rank) const;
  /// The batches of a rank, where rows were counted.
  std::optional<BatchPlan> batches(int64_t rank, int64_t batch_size) const;
  /// The place of the last row of a rank's first `batches` batches, without reading data.
  RowPlace place_after(int64_t rank, int64_t batches, int64_t batch_size) const;

 private:
  void deal(const std::vector<int64_t>& rows);
  int64_t share_of(int64_t rank) const;  // rows of the rank, where they were counted
  void close(const Leg& leg);
  StreamUnit whole(size_t number) const;
  CopyRange::Place cut_after(const StreamUnit& piece, int64_t rows) const;
  EpochOrder order_;
  int64_t world_size_;
  size_t threads_;
  RowTest test_;
  std::vector<RankStream> streams_;
  std::optional<int64_t> rows_;  // of all ranks
};

/// The rows of each unit, or reading, that pass. Reads nothing.
std::vector<int64_t> count_rows(std::span<const Unit> units, const RowTest& test, size_t threads,
                                std::span<const Reading> readings = {});

/// Calls visit(entry, copy) for the rows of a piece of a balanced epoch, still to come or not, while that
/// gives true.
template <class Visit>
void for_copies(const EpochCopies& epoch, const StreamUnit& piece, const Visit& visit) {
  const EntryRange& entries = piece.unit.entries;
  UnitCopies copies(epoch, piece.reading, entries.start);
  for (int64_t entry = entries.start; entry < entries.stop; ++entry) {
    const int64_t count = copies.next();
    for (int64_t copy = 0; copy < count; ++copy) {
      if (piece.rows.contains(entry, copy) && !visit(entry, copy)) return;
    }
  }
}

}  // namespace sapwood
