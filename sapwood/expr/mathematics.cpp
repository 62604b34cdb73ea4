#include <cmath>
#include <numbers>

#include "sapwood/base/random.h"
#include "sapwood/expr/elementwise.h"
#include "sapwood/kernels/elementary.h"

namespace sapwood::expr {
namespace {

template <class T>
constexpr bool kIsInteger = std::is_same_v<T, int64_t>;

template <class T>
T absolute(T x) {
  if constexpr (kIsInteger<T>) {
    return x < 0 ? wrapping(0, x, [](uint64_t a, uint64_t b) { return a - b; }) : x;
  } else {
    return std::fabs(x);
  }
}

template <class T>
T sign(T x) {
  if (x > 0) return T{1};
  if (x < 0) return T{-1};
  return x == 0 ? T{0} : x;
}

// The sign is that of the dividend, as in C++.
template <class T>
T truncated_remainder(T a, T b) {
  if constexpr (kIsInteger<T>) {
    return b == 0 || b == -1 ? 0 : a % b;  // the processor traps on both
  } else {
    return std::fmod(a, b);
  }
}

// As in NumPy, `b` is the one to be close to.
template <class T>
bool is_close(T a, T b, T relative, T absolute) {
  return a == b || (std::isfinite(b) && std::fabs(a - b) <= absolute + relative * std::fabs(b));
}

template <class T>
T step(T x, T at_zero) {
  if (x == 0) return at_zero;
  return x > 0 ? T{1} : x < 0 ? T{0} : x;
}

// A number in [0, 1) that follows from both alone.
double uniform(int64_t number, int64_t seed) {
  constexpr uint32_t kPurpose = 0x756E6966;  // other numbers than a loader draws
  const auto counter = static_cast<uint64_t>(number);
  const auto bits =
      philox4x32({static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), kPurpose, 0},
                 philox_key(static_cast<uint64_t>(seed)));
  return uniform_from_bits(bits[0], bits[1]);
}

using kernels::Elementary;
using kernels::ElementaryOfTwo;

template <ElementaryOfTwo function>
Function elementary(std::vector<std::string_view> names) {
  return floating_loops(std::move(names), 2, &elementary_loop<function, float>,
                        &elementary_loop<function, double>);
}

template <Elementary function, class T>
void unary_loop(std::span<const Operand> operands, void* out, size_t count) {
  kernels::elementary(function, static_cast<const T*>(operands[0].data), static_cast<T*>(out), count);
}

template <Elementary function>
Function elementary(std::vector<std::string_view> names) {
  return floating_loops(std::move(names), 1, &unary_loop<function, float>, &unary_loop<function, double>);
}

// A rounding function, which leaves integers alone.
template <class Rounding>
Function rounding(std::vector<std::string_view> names, Rounding) {
  return numeric<1>(std::move(names), [](auto x) {
    if constexpr (kIsInteger<decltype(x)>) {
      return x;
    } else {
      return Rounding{}(x);
    }
  });
}

}  // namespace

std::vector<Function> mathematical_functions() {
  return {
      numeric<1>({"abs", "fabs", "absolute", "Abs"}, [](auto x) { return absolute(x); }),
      numeric<1>({"sign"}, [](auto x) { return sign(x); }),
      numeric<1>({"square"},
                 [](auto x) {
                   if constexpr (kIsInteger<decltype(x)>) {
                     return wrapping(x, x, [](uint64_t a, uint64_t b) { return a * b; });
                   } else {
                     return x * x;
                   }
                 }),
      floating<1>({"sqrt", "Sqrt"}, [](auto x) { return std::sqrt(x); }),
      elementary<Elementary::kCbrt>({"cbrt"}),
      elementary<Elementary::kExp>({"exp", "Exp"}),
      elementary<Elementary::kExp2>({"exp2"}),
      elementary<Elementary::kExpm1>({"expm1"}),
      elementary<Elementary::kLog>({"log", "Log"}),
      elementary<Elementary::kLog2>({"log2", "Log2"}),
      elementary<Elementary::kLog10>({"log10", "Log10"}),
      elementary<Elementary::kLog1p>({"log1p"}),
      elementary<Elementary::kSin>({"sin", "Sin"}),
      elementary<Elementary::kCos>({"cos", "Cos"}),
      elementary<Elementary::kTan>({"tan", "Tan"}),
      elementary<Elementary::kAsin>({"asin", "arcsin", "ASin"}),
      elementary<Elementary::kAcos>({"acos", "arccos", "ACos"}),
      elementary<Elementary::kAtan>({"atan", "arctan", "ATan"}),
      elementary<Elementary::kSinh>({"sinh", "SinH"}),
      elementary<Elementary::kCosh>({"cosh", "CosH"}),
      elementary<Elementary::kTanh>({"tanh", "TanH"}),
      elementary<Elementary::kAsinh>({"asinh", "arcsinh", "ASinH"}),
      elementary<Elementary::kAcosh>({"acosh", "arccosh", "ACosH"}),
      elementary<Elementary::kAtanh>({"atanh", "arctanh", "ATanH"}),
      elementary<ElementaryOfTwo::kAtan2>({"atan2", "arctan2", "ATan2"}),
      elementary<ElementaryOfTwo::kHypot>({"hypot", "Hypot"}),
      floating<1>({"deg2rad", "radians"},
                  [](auto x) { return x * (std::numbers::pi_v<decltype(x)> / decltype(x){180}); }),
      floating<1>({"rad2deg", "degrees"},
                  [](auto x) { return x * (decltype(x){180} / std::numbers::pi_v<decltype(x)>); }),
      floating<2>({"heaviside"}, [](auto x, auto at_zero) { return step(x, at_zero); }),
      {{"uniform"},
       2,
       2,
       Elementwise{
           .overloads =
               {{{}, overload<2, int64_t>([](auto x, auto seed) { return uniform(x, seed); }), {}, {}}}}},
      dividing(numeric<2>({"fmod"}, [](auto a, auto b) { return truncated_remainder(a, b); })),

      rounding({"floor", "Floor"}, [](auto x) { return std::floor(x); }),
      rounding({"ceil", "Ceil"}, [](auto x) { return std::ceil(x); }),
      rounding({"trunc"}, [](auto x) { return std::trunc(x); }),
      // To the even neighbour from half-way: the processor's rounding mode, which nobody changes.
      rounding({"round", "rint"}, [](auto x) { return std::nearbyint(x); }),

      any_kind<1>({"float32"}, [](auto x) { return static_cast<float>(x); }),
      any_kind<1>({"float64"}, [](auto x) { return static_cast<double>(x); }),

      floating<4>({"isclose"}, [](auto a, auto b, auto relative,
                                  auto absolute) { return is_close(a, b, relative, absolute); }),
      composed({"isclose"}, {"a", "b"}, {"isclose(a, b, 1e-5, 1e-8)"}),
      floating<1>({"isnan", "IsNaN"}, [](auto x) { return std::isnan(x); }),
      floating<1>({"isinf"}, [](auto x) { return std::isinf(x); }),
      floating<1>({"isfinite", "Finite"}, [](auto x) { return std::isfinite(x); }),
  };
}

}  // namespace sapwood::expr
