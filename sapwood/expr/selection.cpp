#include <cmath>
#include <limits>

#include "sapwood/expr/elementwise.h"

namespace sapwood::expr {
namespace {

template <class T>
T smaller(T a, T b) {
  return a < b || is_nan(a) ? a : b;  // NaN wins, on either side
}

template <class T>
T larger(T a, T b) {
  return a > b || is_nan(a) ? a : b;
}

// A bound that is NaN is none.
template <class T>
T clipped(T x, T low, T high) {
  const T raised = x < low ? low : x;
  return raised > high ? high : raised;
}

template <class T>
T finite(T x, T if_nan) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(x)) return if_nan;
    if (std::isinf(x)) return std::copysign(std::numeric_limits<T>::max(), x);
  }
  return x;
}

}  // namespace

std::vector<Function> selecting_functions() {
  return {
      any_kind<2>({"min", "minimum", "Min"}, [](auto a, auto b) { return smaller(a, b); }),
      any_kind<2>({"max", "maximum", "Max"}, [](auto a, auto b) { return larger(a, b); }),
      any_kind<3>({"clip"}, [](auto x, auto low, auto high) { return clipped(x, low, high); }),
      numeric<1>({"nan_to_num"}, [](auto x) { return finite(x, decltype(x){0}); }),
      numeric<2>({"nan_to_num"}, [](auto x, auto if_nan) { return finite(x, if_nan); }),
  };
}

}  // namespace sapwood::expr
