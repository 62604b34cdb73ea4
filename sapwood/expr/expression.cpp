#include "sapwood/expr/expression.h"

#include <utility>

#include "sapwood/expr/evaluate.h"
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

Column Expression::evaluate(std::span<const Column> columns, int64_t num_entries,
                            const std::shared_ptr<MemoryPool>& pool) const {
  return expr::evaluate(program_->steps, columns, num_entries, pool);
}

}  // namespace sapwood
