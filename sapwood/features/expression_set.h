#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sapwood/column/column.h"
#include "sapwood/column/schema.h"
#include "sapwood/expr/expression.h"
#include "sapwood/features/feature_spec.h"

namespace sapwood {

/// Expressions over one schema, each computed once: columns are passed on as they are, formulas evaluated.
/// Const use is safe from many threads.
class ExpressionSet {
 public:
  /// The place of an expression among the values; the same for the same text. Throws what `Schema::require`
  /// and `Expression` do.
  size_t add(const std::string& expression, const Schema& schema);

  size_t size() const { return values_.size(); }
  const std::string& text(size_t place) const { return values_[place].text; }
  const Type& type(size_t place) const { return values_[place].type; }
  bool is_formula(size_t place) const { return values_[place].formula.has_value(); }

  /// The columns to read, each once, and their types.
  const std::vector<std::string>& columns() const { return columns_; }
  const std::vector<Type>& column_types() const { return column_types_; }

  /// The values of all expressions for entries whose `columns()` are given, at least one. What no value holds
  /// is released.
  std::vector<Column> evaluate(std::vector<Column> columns, const std::shared_ptr<MemoryPool>& pool) const;

  /// The mean number of innermost values per entry, from that of each of `columns()`: of a formula, the
  /// largest of its columns.
  double values_per_entry(size_t place, std::span<const double> of_columns) const;
  /// Mean bytes per entry that evaluating the formulas takes: all their results, and what the one with most
  /// holds besides.
  double formula_bytes(std::span<const double> of_columns) const;

 private:
  struct Value {
    std::string text;
    Type type;
    std::optional<Expression> formula;
    std::vector<size_t> columns;  // places of the formula's columns, or of the one that it is
  };
  size_t column_place(const std::string& name, const Schema& schema);

  std::vector<Value> values_;
  std::vector<std::string> columns_;
  std::vector<Type> column_types_;
};

/// The columns that a specification reads, fitted or not, each once: those of its `RowFormat`. Throws as
/// `add`.
std::vector<std::string> columns_read(const FeatureSpec& spec, const Schema& schema);

/// The type inside all lists of `type`.
const Type& innermost_type(const Type& type);

}  // namespace sapwood
