#include "sapwood/expr/expression.h"

#include <algorithm>
#include <utility>

#include "sapwood/expr/evaluate.h"
#include "sapwood/expr/names.h"
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
  return name == "true" || name == "false" || expr::without_library(name) == "pi" || expr::is_function(name);
}

bool is_name_in_formulas(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto continues = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && is_letter(name.front()) && std::ranges::all_of(name, continues) &&
         name != "true" && name != "false" && name != "pi";
}

Column Expression::evaluate(std::span<const Column> columns, int64_t num_entries,
                            const std::shared_ptr<MemoryPool>& pool) const {
  return std::move(expr::evaluate(program_->steps(), columns, num_entries, pool).front());
}

}  // namespace sapwood
