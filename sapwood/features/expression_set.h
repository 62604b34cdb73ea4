#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sapwood/column/column.h"
#include "sapwood/column/schema.h"
#include "sapwood/expr/program.h"
#include "sapwood/features/feature_spec.h"

namespace sapwood {

/// Expressions over one schema: columns are passed on as they are, formulas evaluated, and what they have in
/// common once. Const use is safe from many threads.
class ExpressionSet {
 public:
  /// The place of an expression among the values; the same for the same text. Throws what `Schema::require`
  /// and `Expression` do, and is of no use then.
  size_t add(const std::string& expression, const Schema& schema);

  size_t size() const { return texts_.size(); }
  const std::string& text(size_t place) const { return texts_[place]; }
  const Type& type(size_t place) const { return program().results[place].type; }
  /// Whether it is more than a column that is stored.
  bool is_formula(size_t place) const;

  /// The columns to read, each once, and their types.
  const std::vector<std::string>& columns() const { return program().columns; }
  const std::vector<Type>& column_types() const { return program().column_types; }

  /// The definitions of columns that are used, each behind those it uses.
  const std::vector<Definition>& definitions() const { return program().definitions; }

  /// The values of all expressions for entries whose `columns()` are given, at least one. What no value holds
  /// is released. Where the entries are those of a range that are `kept`, errors tell their places in that
  /// range.
  std::vector<Column> evaluate(std::vector<Column> columns, const std::shared_ptr<MemoryPool>& pool,
                               std::span<const uint8_t> kept = {}) const;

  /// The mean number of innermost values per entry, from that of each of `columns()`.
  double values_per_entry(size_t place, std::span<const double> of_columns) const;
  /// Mean bytes per entry that evaluating the formulas takes at most, their results included.
  double formula_bytes(std::span<const double> of_columns) const;

 private:
  const expr::Program& program() const { return compiler_.program(); }

  std::vector<std::string> texts_;
  expr::Compiler compiler_;
};

/// The specification with those definitions of the schema that it uses: complete without the schema's. Throws
/// as `add`.
FeatureSpec complete(FeatureSpec spec, const Schema& schema);

/// The columns that they read, each once: those of its `RowFormat`. Throws as `add`.
std::vector<std::string> columns_read(const FeatureSpec& spec, const Schema& schema);

/// Throws ConfigError: a formula of the specification calls a function that formulas have not of their own.
/// It is a data set's, and stays with it: what is saved or served can't call it.
void check_portable(const FeatureSpec& spec);

/// The type inside all lists of `type`.
const Type& innermost_type(const Type& type);

}  // namespace sapwood
