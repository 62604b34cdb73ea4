#include "sapwood/expr/function.h"

#include <iterator>
#include <utility>

namespace sapwood::expr {

const std::vector<Function>& functions() {
  static const std::vector<Function> table = [] {
    std::vector<Function> all{{{"[]", "at"}, 2, 3, Item{}}};
    for (auto* part :
         {&operators, &mathematical_functions, &selecting_functions, &physical_functions, &reductions}) {
      std::vector<Function> functions = part();
      all.insert(all.end(), std::make_move_iterator(functions.begin()),
                 std::make_move_iterator(functions.end()));
    }
    return all;
  }();
  return table;
}

}  // namespace sapwood::expr
