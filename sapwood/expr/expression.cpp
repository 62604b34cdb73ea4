#include "sapwood/expr/expression.h"

#include <algorithm>
#include <utility>

#include "sapwood/expr/evaluate.h"
#include "sapwood/expr/names.h"
#include "sapwood/expr/program.h"

namespace sapwood {

struct Expression::Program {
  expr::Program steps;
};

Expression::Expression(std::string text, const Schema& schema)
    : program_(std::make_shared<const Program>(Program{expr::compile(std::move(text), schema)})) {}

const std::string& Expression::text() const { return program_->steps.text; }
const std::vector<std::string>& Expression::columns() const { return program_->steps.columns; }
const Type& Expression::type() const { return program_->steps.type; }

bool is_word_of_formulas(std::string_view name) {
  return name == "true" || name == "false" || expr::without_library(name) == "pi" || expr::is_function(name);
}

double Expression::work_bytes(double values_per_entry) const {
  const expr::Program& program = program_->steps;
  const auto bytes = [&](const expr::Operation& operation) {
    if (operation.kind == expr::Operation::Kind::kLoad) return 0.0;
    const auto size = static_cast<double>(primitive_size(operation.result));
    return operation.dimensions.empty() ? size : values_per_entry * size + 8;
  };
  double held = 0;
  double most = 0;
  for (size_t i = 0; i < program.operations.size(); ++i) {
    held += bytes(program.operations[i]);
    most = std::max(most, held);
    for (size_t input = 0; input <= i; ++input) {
      if (program.last_uses[input] == i) held -= bytes(program.operations[input]);
    }
  }
  return most;
}

Column Expression::evaluate(std::span<const Column> columns, int64_t num_entries,
                            const std::shared_ptr<MemoryPool>& pool) const {
  return expr::evaluate(program_->steps, columns, num_entries, pool);
}

}  // namespace sapwood
