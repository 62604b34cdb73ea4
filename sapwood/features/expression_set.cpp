#include "sapwood/features/expression_set.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "sapwood/base/error.h"
#include "sapwood/expr/estimate.h"
#include "sapwood/expr/evaluate.h"
#include "sapwood/expr/expression.h"

namespace sapwood {
namespace {

// A misspelt column is better told by the schema than by a formula's error.
bool looks_like_a_column(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789";
  constexpr std::string_view kOfNames = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.0123456789";
  return !text.empty() && kDigits.find(text.front()) == std::string_view::npos && text.front() != '.' &&
         text.find_first_not_of(kOfNames) == std::string_view::npos;
}

// The variables of a specification, fitted or not.
ExpressionSet expressions_of(const FeatureSpec& spec, const Schema& schema) {
  const Schema defined = with_definitions(schema, spec.definitions);
  ExpressionSet expressions;
  for (const FeatureGroup& group : spec.groups) {
    for (const Variable& variable : group.variables) expressions.add(variable.expression, defined);
  }
  return expressions;
}

}  // namespace

const Type& innermost_type(const Type& type) {
  const Type* inner = &type;
  while (inner->kind == TypeKind::kList || inner->kind == TypeKind::kFixedList) inner = &inner->item();
  return *inner;
}

FeatureSpec complete(FeatureSpec spec, const Schema& schema) {
  spec.definitions = expressions_of(spec, schema).definitions();
  return spec;
}

std::vector<std::string> columns_read(const FeatureSpec& spec, const Schema& schema) {
  return expressions_of(spec, schema).columns();
}

void check_portable(const FeatureSpec& spec) {
  std::vector<std::string> formulas;
  for (const Definition& definition : spec.definitions) formulas.push_back(definition.formula);
  for (const FeatureGroup& group : spec.groups) {
    for (const Variable& variable : group.variables) formulas.push_back(variable.expression);
  }
  for (const std::string& formula : formulas) {
    const std::optional<std::string> name = foreign_function(formula);
    if (!name) continue;
    throw ConfigError(concat("'", *name,
                             "' is none of the functions of formulas: features that call a function of one's "
                             "own, such as one of Python, can't be saved, bundled or served"),
                      {.column = formula});
  }
}

size_t ExpressionSet::add(const std::string& expression, const Schema& schema) {
  const auto found = std::ranges::find(texts_, expression);
  if (found != texts_.end()) return static_cast<size_t>(found - texts_.begin());
  if (schema.find(expression)) {
    compiler_.add_column(expression, schema);
  } else {
    if (looks_like_a_column(expression) && !is_word_of_formulas(expression)) schema.require(expression);
    compiler_.add(expression, schema);
  }
  texts_.push_back(expression);
  return texts_.size() - 1;
}

bool ExpressionSet::is_formula(size_t place) const {
  const expr::Input& input = program().results[place].input;
  return input.is_constant || program().operations[input.index].kind != expr::Operation::Kind::kLoad;
}

std::vector<Column> ExpressionSet::evaluate(std::vector<Column> columns,
                                            const std::shared_ptr<MemoryPool>& pool,
                                            std::span<const uint8_t> kept) const {
  return expr::evaluate(program(), columns, columns.front().length, pool, kept);
}

double ExpressionSet::values_per_entry(size_t place, std::span<const double> of_columns) const {
  const expr::Input& input = program().results[place].input;
  return input.is_constant ? 1 : expr::values_per_entry(program(), of_columns)[input.index];
}

double ExpressionSet::formula_bytes(std::span<const double> of_columns) const {
  return expr::work_bytes(program(), of_columns);
}

}  // namespace sapwood
