#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sapwood/dataset/dataset.h"
#include "sapwood/features/expression_set.h"
#include "sapwood/loader/balance.h"
#include "sapwood/loader/division.h"
#include "sapwood/loader/row_order.h"

namespace sapwood {

/// The rows that a balance is made of.
struct CellSource {
  std::shared_ptr<const Dataset> dataset;
  std::shared_ptr<const std::vector<Unit>> units;  ///< in file order
  std::vector<size_t> files;                       ///< of the units, ascending
  SplitPart part{};                                ///< rows are in the part
  std::shared_ptr<const SplitOrder> split{};       ///< of the part
  std::vector<DivisionPart> divisions{};           ///< and in all of these
};

/// The cell of each row, a class or a bin of one, and its place among the rows of the cell, which are counted
/// in file order. Immutable; safe from many threads.
class Cells {
 public:
  static constexpr size_t kMostCells = UINT16_MAX;

  /// Counts; where the samples are the classes, and all their rows come, from metadata, else in one pass over
  /// the columns that matter, in units that together take about `memory` bytes. Keeps two bytes for each
  /// entry where `memory` is four times as much. Throws ConfigError (more than `kMostCells`, classes that are
  /// no whole numbers), SchemaError (not one number for each entry), and what reading throws.
  Cells(const Balance& balance, CellSource source, size_t threads, uint64_t memory);

  /// Labels of samples, or numbers.
  const std::vector<std::string>& classes() const { return classes_; }
  /// Rows of each cell: of bin b of class c at c * bins + b.
  const std::vector<int64_t>& rows() const { return rows_; }
  /// Rows outside the bins.
  int64_t outside() const { return outside_; }
  /// Whether all rows were considered.
  bool everything() const { return source_.part.everything() && source_.divisions.empty(); }
  const std::vector<Unit>& units() const { return *source_.units; }

  /// Of the rows of a unit in a cell: how many come before it, and how many it has.
  struct Run {
    size_t cell = 0;
    int64_t first = 0;
    int64_t rows = 0;
  };
  std::span<const Run> runs(size_t unit) const { return runs_[unit]; }

  /// What each entry of a unit belongs to: 0, to no cell, or 1 more than the cell.
  class Codes {
   public:
    Codes(Codes&&) = default;
    Codes& operator=(Codes&&) = default;
    size_t operator[](size_t entry) const { return each_.empty() ? of_all_ : each_[entry]; }

   private:
    friend class Cells;
    Codes() = default;
    size_t of_all_ = 0;
    std::span<const uint16_t> each_{};
    std::vector<uint16_t> read_{};
  };
  /// Reads columns again where nothing was kept.
  Codes codes(size_t unit) const;
  /// Whether `codes` reads nothing.
  bool are_kept() const { return each_unit_has_one() || !kept_.empty(); }
  uint64_t kept_bytes() const;
  /// Mean bytes of an entry that `codes` takes.
  double code_bytes() const;
  /// Differs where cells hold other rows of the same files.
  uint64_t identity() const;

 private:
  using ClassNumber = std::function<size_t(int64_t)>;
  struct Axis {
    size_t place = 0;  // of the expression
    std::vector<double> edges;
  };

  bool each_unit_has_one() const { return columns_.empty() && everything(); }
  using RowsOfCodes = std::vector<std::map<size_t, int64_t>>;  // of each unit
  void count(size_t threads, uint64_t memory);
  void settle(const std::map<int64_t, size_t>& found, const RowsOfCodes& rows_of, size_t threads);
  double work_bytes() const;  // of an entry, besides columns
  std::vector<uint16_t> codes_of(const Unit& unit, const std::vector<Column>& columns,
                                 const std::shared_ptr<MemoryPool>& pool, const ClassNumber& number_of,
                                 int64_t& outside) const;
  void classify(const Column& column, const ClassNumber& number_of, std::span<uint16_t> codes) const;
  static void bin(const Column& column, const std::vector<double>& edges, std::span<uint16_t> codes);

  CellSource source_;
  ExpressionSet expressions_;
  std::optional<size_t> by_;  // place of the expression
  std::vector<Axis> axes_;
  size_t bins_ = 1;                   // of a class
  std::vector<std::string> columns_;  // the expressions' first
  std::vector<std::vector<size_t>> division_columns_;
  std::vector<int64_t> values_;  // of the classes, ascending, when they are values
  std::vector<std::string> classes_;
  std::vector<int64_t> rows_;
  int64_t outside_ = 0;
  std::vector<std::vector<Run>> runs_;
  std::vector<std::vector<uint16_t>> kept_;  // codes of all entries, by file
};

}  // namespace sapwood
