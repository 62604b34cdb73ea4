#include "sapwood/expr/function.h"

#include <iterator>
#include <utility>

namespace sapwood::expr {

const std::vector<Function>& functions() {
  static const std::vector<Function> table = [] {
    std::vector<Function> all;
    for (auto* part : {&operators, &mathematical_functions, &selecting_functions, &physical_functions,
                       &reductions, &item_functions, &index_functions, &selections_of_items}) {
      std::vector<Function> functions = part();
      all.insert(all.end(), std::make_move_iterator(functions.begin()),
                 std::make_move_iterator(functions.end()));
    }
    return all;
  }();
  return table;
}

Function composed(std::vector<std::string_view> names, std::vector<std::string_view> parameters,
                  std::vector<std::string_view> formulas) {
  const size_t count = parameters.size();
  return {std::move(names), count, count, Composition{std::move(parameters), std::move(formulas)}};
}

}  // namespace sapwood::expr
