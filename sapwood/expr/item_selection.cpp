#include "sapwood/expr/function.h"

namespace sapwood::expr {

std::vector<Function> selections_of_items() {
  return {
      {{"[]", "at"}, 2, 3, Item{}},
      {{"take", "Take"}, 2, 3, Item{.takes_numbers = true}},
      composed({"[:]"}, {"x", "begin", "end"}, {"x[argslice(x, begin, end)]"}),
      composed({"drop", "Drop"}, {"x", "indices"}, {"x[argdrop(x, indices)]"}),
      composed({"combinations"}, {"x", "n", "k"}, {"x[argcombinations(x, n, k)]"}),
      composed({"cartesian"}, {"a", "b", "k"}, {"a[argcartesian(a, b, 0)]", "b[argcartesian(a, b, 1)]"}),
      composed({"pad"}, {"x", "n", "value"}, {"x[argpad(x, n), value]"}),
      composed({"intersect", "Intersect"}, {"a", "b"}, {"a[argintersect(a, b)]"}),
      {{"flatten"}, 1, 1, Flattening{}},
      {{"ravel"}, 1, 1, Flattening{.of_all_levels = true}},
      {{"concatenate", "Concatenate"}, 2, kAnyNumber, Concatenation{}},
  };
}

}  // namespace sapwood::expr
