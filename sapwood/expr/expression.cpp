#include "sapwood/expr/expression.h"

#include <algorithm>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/expr/estimate.h"
#include "sapwood/expr/evaluate.h"
#include "sapwood/expr/names.h"
#include "sapwood/expr/parser.h"
#include "sapwood/expr/point_at.h"
#include "sapwood/expr/program.h"

namespace sapwood {

struct Expression::Program {
  expr::Compiler compiler;
  const expr::Program& steps() const { return compiler.program(); }
};

Expression::Expression(std::string text, const Schema& schema) {
  const auto program = std::make_shared<Program>();
  program->compiler.add(std::move(text), schema);
  program_ = program;
}

const std::string& Expression::text() const { return program_->steps().texts.front(); }
const std::vector<std::string>& Expression::columns() const { return program_->steps().columns; }
const Type& Expression::type() const { return program_->steps().results.front().type; }

bool is_word_of_formulas(std::string_view name) {
  return name == "true" || name == "false" || expr::find_constant(name) || expr::is_function(name);
}

bool is_name_in_formulas(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto continues = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && is_letter(name.front()) && std::ranges::all_of(name, continues) && name != "true" &&
         name != "false" && !expr::find_constant(name);
}

std::string point_at_result(std::string_view formula, std::string_view message) {
  return expr::point_at(formula, expr::parse(formula).back().place, message);
}

std::optional<std::string> foreign_function(std::string_view formula) {
  try {
    for (const expr::Node& node : expr::parse(formula)) {
      if (node.kind == expr::Node::Kind::kCall && is_name_in_formulas(node.name) &&
          !is_word_of_formulas(node.name))
        return node.name;
    }
  } catch (const ConfigError&) {  // a column of another name, or what is told where it is used
  }
  return std::nullopt;
}

Schema with_definitions(const Schema& schema, const std::vector<Definition>& definitions) {
  std::vector<ColumnInfo> columns = schema.columns();
  for (const auto& [name, formula] : definitions) {
    if (!is_name_in_formulas(name)) {
      throw ConfigError(concat("'", expr::printable(name),
                               "' can't be the name of a column: letters, digits and _ make one, and no word "
                               "that means something else in formulas"));
    }
    const auto other = std::ranges::find(columns, name, &ColumnInfo::name);
    if (other == columns.end()) {
      columns.emplace_back();
      columns.back().name = name;
      columns.back().stored_type = "= " + formula;
      columns.back().definition = formula;
    } else if (formula.empty() || other->definition != formula) {
      throw ConfigError(concat("there is a column '", name, "' already"));
    }
  }
  return Schema(std::move(columns), schema.functions());
}

Schema with_definition(const Schema& schema, const std::string& name, const std::string& formula) {
  expr::Compiler compiler;
  compiler.add(formula, schema);  // the new column is none of its own
  std::vector<ColumnInfo> columns = with_definitions(schema, {{name, formula}}).columns();
  if (columns.size() == schema.size()) return schema;
  ColumnInfo& info = columns.back();
  const expr::Program& program = compiler.program();
  info.type = program.results.front().type;
  if (!info.type.is_primitive()) {
    std::vector<double> of_columns;
    for (const std::string& column : program.columns)
      of_columns.push_back(schema[*schema.find(column)].values_per_entry);
    info.values_per_entry = expr::values_per_entry(program, of_columns)[program.results.front().input.index];
  }
  return Schema(std::move(columns), schema.functions());
}

Schema with_function(const Schema& schema, std::shared_ptr<const UserFunction> function) {
  const std::string& name = function->name();
  if (!is_name_in_formulas(name))
    throw ConfigError(concat("'", expr::printable(name), "' can't be the name of a function"));
  auto functions = schema.functions();
  if (expr::is_function(name) ||
      std::ranges::any_of(functions, [&](const auto& other) { return other->name() == name; })) {
    throw ConfigError(concat("there is a function '", name, "' already"));
  }
  functions.push_back(std::move(function));
  return Schema(schema.columns(), std::move(functions));
}

Column Expression::evaluate(std::span<const Column> columns, int64_t num_entries,
                            const std::shared_ptr<MemoryPool>& pool) const {
  return std::move(expr::evaluate(program_->steps(), columns, num_entries, pool).front());
}

}  // namespace sapwood
