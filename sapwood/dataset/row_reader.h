#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "sapwood/dataset/dataset.h"
#include "sapwood/features/expression_set.h"

namespace sapwood {

/// Reads the values of expressions in the rows that pass a data set's filters, unit by unit. The filters'
/// columns are read first, the others only where there are such rows. Const use is safe from many threads.
class RowReader {
 public:
  /// `dataset` must outlive it. Throws what expressions throw, and ConfigError: they read no column.
  RowReader(const Dataset& dataset, const std::vector<std::string>& expressions);

  const Type& type(size_t expression) const { return expressions_.type(places_[expression]); }
  /// Over all columns that are read.
  std::vector<Unit> units() const { return dataset_.units(everything_); }
  /// Calls `use` with the values of each expression, of the rows of one unit, at least once: where formulas
  /// are among them block after block of so many rows as a core's own cache holds. Throws as `Dataset::fetch`
  /// and `decode`.
  using Use = std::function<void(std::vector<Column> values)>;
  void read(const Unit& unit, const std::shared_ptr<MemoryPool>& pool, const std::stop_token& stop,
            const Use& use) const;

 private:
  const Dataset& dataset_;
  ExpressionSet expressions_;
  std::vector<size_t> places_;  // of each expression, which may be given twice
  ExpressionSet condition_;     // one, or none
  Selection everything_;
  Selection first_;             // the condition's columns
  Selection rest_;              // what the expressions need besides
  std::vector<size_t> inputs_;  // the expressions' columns: places in first_, then in rest_
};

}  // namespace sapwood
