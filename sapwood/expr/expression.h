#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sapwood/column/column.h"
#include "sapwood/column/schema.h"
#include "sapwood/column/user_function.h"

namespace sapwood {

/// A formula over columns, such as `log(part_pt) - mean(part_pt)`: parsed and typed once, evaluated over many
/// entries at a time. docs/expressions.md has the grammar and the rules. Immutable; safe from many threads.
class Expression {
 public:
  /// Throws ConfigError (syntax, types that do not fit; the message shows the text with a caret under the
  /// place) and SchemaError (unknown column or function, with the nearest names), UnsupportedError (a column
  /// that can't be read).
  Expression(std::string text, const Schema& schema);

  const std::string& text() const;
  /// The columns that are read, each once, in the order in which they appear; of columns that are defined by
  /// formulas, those that their formulas read.
  const std::vector<std::string>& columns() const;
  /// Of the result: bool, int64, float32 or float64 for each entry, or lists of such to any depth. A formula
  /// that is just a column has the column's type.
  const Type& type() const;

  /// The result for `num_entries` entries; `columns` are those of `columns()`, in that order, each of that
  /// length (a constant has no columns). Throws SchemaError when lists that are combined differ in their
  /// multiplicities, naming the first such entry of the range.
  Column evaluate(std::span<const Column> columns, int64_t num_entries,
                  const std::shared_ptr<MemoryPool>& pool) const;

 private:
  struct Program;
  std::shared_ptr<const Program> program_;
};

/// A schema with columns more, which formulas define. Their types are left open, and what is wrong in a
/// formula is told where it is used. Throws ConfigError: a name that is taken, unless by the same definition,
/// or that can't stand in formulas.
Schema with_definitions(const Schema& schema, const std::vector<Definition>& definitions);
/// The same with one column, and its type. Throws what formulas do besides.
Schema with_definition(const Schema& schema, const std::string& name, const std::string& formula);

/// A schema with a function more, which formulas may call. Throws ConfigError: a name that another function
/// has, or that can't stand in formulas.
Schema with_function(const Schema& schema, std::shared_ptr<const UserFunction> function);

/// Whether columns and functions may be called that: letters, digits and _ make a name, and no word that
/// means something else.
bool is_name_in_formulas(std::string_view name);

/// The first function that the formula calls and that formulas have not of their own; none where its syntax
/// is wrong.
std::optional<std::string> foreign_function(std::string_view formula);

/// The message of an error about what a formula gives, pointing at its outermost operator, function or
/// column.
std::string point_at_result(std::string_view formula, std::string_view message);

/// Whether a name means something in formulas where no column is called that: a function, `pi`, `inf`, `nan`,
/// `true`, `false`.
bool is_word_of_formulas(std::string_view name);

}  // namespace sapwood
