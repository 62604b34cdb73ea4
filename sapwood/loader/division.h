#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sapwood/dataset/dataset.h"
#include "sapwood/features/expression_set.h"

namespace sapwood {

/// Parts the rows of a data set by their values. A pure function of a row; safe from many threads.
class Division {
 public:
  static constexpr size_t kMostParts = 255;
  using Parts = std::bitset<kMostParts + 1>;

  /// Part i + 1 holds the rows for which condition i is the first that is true; part 0 the others. Throws
  /// SchemaError (a condition that is not true or false for each entry) and what expressions throw.
  static std::shared_ptr<const Division> by_conditions(const Schema& schema,
                                                       const std::vector<std::string>& conditions);
  /// A row's place in [0, 1) follows from a hash of the values and the seed: XXH3 of the seed and, for each
  /// value, of 8 bytes: integers as int64, floating-point numbers as float64. Part i holds the i-th of the
  /// fractions; the last part what is beyond them. Values are numbers, one for each entry.
  static std::shared_ptr<const Division> by_values(const Schema& schema,
                                                   const std::vector<std::string>& values,
                                                   const std::vector<double>& fractions, uint64_t seed);

  /// The share of rows in the parts, or 1 where only the data knows.
  double share(const Parts& parts) const;
  /// Differs between divisions that part rows in different ways.
  uint64_t identity() const;
  /// Mean bytes of an entry that `parts_of` takes besides the columns.
  double work_bytes() const;
  /// The columns to read.
  const std::vector<std::string>& columns() const { return expressions_.columns(); }
  /// The part of each entry whose columns are given.
  std::vector<uint8_t> parts_of(std::vector<Column> columns, const std::shared_ptr<MemoryPool>& pool) const;
  /// The parts of all entries, by file: read once, in units that together take about `memory` bytes at most
  /// (one at least), and kept.
  const std::vector<std::vector<uint8_t>>& parts_of_all(const Dataset& dataset, size_t threads,
                                                        uint64_t memory) const;

 private:
  enum class Kind : uint8_t { kConditions, kValues };
  Division(Kind kind) : kind_(kind) {}

  Kind kind_;
  ExpressionSet expressions_;
  std::vector<double> ends_;  // of the fractions
  uint64_t seed_ = 0;
  mutable std::mutex mutex_;
  mutable std::vector<std::vector<uint8_t>> all_;
};

/// The rows that are in some of a division's parts.
struct DivisionPart {
  std::shared_ptr<const Division> division;
  Division::Parts parts;
};

/// Adds those of `wanted` that are missing to `columns`, and gives the places of all.
std::vector<size_t> add_columns(std::vector<std::string>& columns, const std::vector<std::string>& wanted);

/// Whether each entry is in all of the parts, and not 0 in `in_parts` where that is given; empty: there are
/// none. `places` are those of each division's columns among `columns`.
std::vector<uint8_t> rows_in_parts(const std::vector<DivisionPart>& divisions,
                                   const std::vector<std::vector<size_t>>& places,
                                   const std::vector<Column>& columns,
                                   const std::shared_ptr<MemoryPool>& pool,
                                   std::vector<uint8_t> in_parts = {});

/// Conditions whose columns are read before all others, which are left where no row passes.
struct Prefilter {
  DivisionPart part;
  Selection selection;
};

/// Whether a row is in all of the parts.
class DivisionTest {
 public:
  /// Reads the divisions' columns, unless that was done before.
  DivisionTest(const std::vector<DivisionPart>& divisions, const Dataset& dataset, size_t threads,
               uint64_t memory);
  bool operator()(size_t file, int64_t entry) const;

 private:
  struct Test {
    DivisionPart part;
    const std::vector<std::vector<uint8_t>>* all;
  };
  std::vector<Test> tests_;
};

}  // namespace sapwood
