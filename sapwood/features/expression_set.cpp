#include "sapwood/features/expression_set.h"

#include <algorithm>
#include <string_view>

namespace sapwood {
namespace {

// A misspelt column is better told by the schema than by a formula's error.
bool looks_like_a_column(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789";
  constexpr std::string_view kOfNames = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.0123456789";
  return !text.empty() && kDigits.find(text.front()) == std::string_view::npos && text.front() != '.' &&
         text.find_first_not_of(kOfNames) == std::string_view::npos;
}

}  // namespace

const Type& innermost_type(const Type& type) {
  const Type* inner = &type;
  while (inner->kind == TypeKind::kList || inner->kind == TypeKind::kFixedList) inner = &inner->item();
  return *inner;
}

std::vector<std::string> columns_read(const FeatureSpec& spec, const Schema& schema) {
  ExpressionSet expressions;
  for (const FeatureGroup& group : spec.groups) {
    for (const Variable& variable : group.variables) expressions.add(variable.expression, schema);
  }
  return expressions.columns();
}

size_t ExpressionSet::column_place(const std::string& name, const Schema& schema) {
  const auto found = std::ranges::find(columns_, name);
  if (found != columns_.end()) return static_cast<size_t>(found - columns_.begin());
  column_types_.push_back(schema[schema.require(name)].type);
  columns_.push_back(name);
  return columns_.size() - 1;
}

size_t ExpressionSet::add(const std::string& expression, const Schema& schema) {
  const auto found = std::ranges::find(values_, expression, &Value::text);
  if (found != values_.end()) return static_cast<size_t>(found - values_.begin());
  Value value{expression, {}, {}, {}};
  if (schema.find(expression) || (looks_like_a_column(expression) && !is_word_of_formulas(expression))) {
    value.columns.push_back(column_place(expression, schema));
    value.type = column_types_[value.columns.front()];
  } else {
    value.formula.emplace(expression, schema);
    value.type = value.formula->type();
    for (const std::string& name : value.formula->columns())
      value.columns.push_back(column_place(name, schema));
  }
  values_.push_back(std::move(value));
  return values_.size() - 1;
}

std::vector<Column> ExpressionSet::evaluate(std::vector<Column> columns,
                                            const std::shared_ptr<MemoryPool>& pool) const {
  const int64_t num_entries = columns.front().length;
  std::vector<Column> results;
  std::vector<Column> arguments;
  for (const Value& value : values_) {
    if (!value.formula) {
      results.push_back(columns[value.columns.front()]);
      continue;
    }
    arguments.clear();
    for (const size_t place : value.columns) arguments.push_back(columns[place]);
    results.push_back(value.formula->evaluate(arguments, num_entries, pool));
  }
  return results;
}

double ExpressionSet::values_per_entry(size_t place, std::span<const double> of_columns) const {
  double most = 0;
  for (const size_t column : values_[place].columns) most = std::max(most, of_columns[column]);
  return values_[place].columns.empty() ? 1 : most;
}

double ExpressionSet::formula_bytes(std::span<const double> of_columns) const {
  double results = 0;
  double besides = 0;
  for (size_t place = 0; place < values_.size(); ++place) {
    if (!is_formula(place)) continue;
    const bool jagged = !type(place).is_primitive();
    const auto size = static_cast<double>(primitive_size(innermost_type(type(place)).kind));
    const double values = values_per_entry(place, of_columns);
    const double result = jagged ? values * size + 8 : size;
    results += result;
    besides = std::max(besides, values_[place].formula->work_bytes(values) - result);
  }
  return results + besides;
}

}  // namespace sapwood
