#include <algorithm>
#include <array>
#include <cmath>

#include "sapwood/expr/elementwise.h"

namespace sapwood::expr {
namespace {

// int64 is the only integer kind that arithmetic meets.
template <class T>
constexpr bool kIsInteger = std::is_same_v<T, int64_t>;

// The sign is that of the divisor, as in Python.
template <class T>
T floored_remainder(T a, T b) {
  if constexpr (kIsInteger<T>) {
    if (b == 0 || b == -1) return 0;  // the processor traps on both
    const T remainder = a % b;
    return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
  } else {
    const T remainder = std::fmod(a, b);
    if (remainder == 0) return std::copysign(T{0}, b);
    return (remainder < 0) != (b < 0) ? remainder + b : remainder;
  }
}

// Rounded down; as in NumPy, integers divided by 0 give 0.
template <class T>
T floored_quotient(T a, T b) {
  if constexpr (kIsInteger<T>) {
    if (b == 0) return 0;
    if (b == -1) return wrapping(0, a, [](uint64_t x, uint64_t y) { return x - y; });
    return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
  } else {
    if (b == 0) return a / b;
    const T remainder = std::fmod(a, b);
    const bool is_below = remainder != 0 && (remainder < 0) != (b < 0);
    // Next to a whole number, which it may miss by a rounding.
    const T quotient = (a - remainder) / b - (is_below ? T{1} : T{0});
    return quotient == 0 ? std::copysign(T{0}, a / b) : std::nearbyint(quotient);
  }
}

int64_t integer_power(int64_t base, int64_t exponent) {
  if (exponent < 0) {
    // The integer part of 1 / base ** -exponent, with 0 for 1 / 0.
    if (base == 1) return 1;
    if (base == -1) return exponent % 2 == 0 ? 1 : -1;
    return 0;
  }
  uint64_t result = 1;
  for (auto factor = static_cast<uint64_t>(base); exponent != 0; exponent >>= 1, factor *= factor) {
    if ((exponent & 1) != 0) result *= factor;
  }
  return static_cast<int64_t>(result);
}

template <class T>
void general_power(std::span<const Operand> operands, void* out, size_t count) {
  elementary_loop<kernels::ElementaryOfTwo::kPow, T>(operands, out, count);
}

// By float64: whole powers of whole numbers are exact then.
template <>
void general_power<float>(std::span<const Operand> operands, void* out, size_t count) {
  constexpr size_t kTile = 256;
  std::array<std::array<double, kTile>, 3> tiles;
  auto* results = static_cast<float*>(out);
  for (size_t done = 0; done < count; done += kTile) {
    const size_t of_tile = std::min(kTile, count - done);
    for (size_t o = 0; o < 2; ++o) {
      const auto* from = static_cast<const float*>(operands[o].data) + (operands[o].is_constant ? 0 : done);
      std::copy_n(from, operands[o].is_constant ? 1 : of_tile, tiles[o].begin());
    }
    const std::array<Operand, 2> widened{Operand{tiles[0].data(), operands[0].is_constant},
                                         Operand{tiles[1].data(), operands[1].is_constant}};
    general_power<double>(widened, tiles[2].data(), of_tile);
    for (size_t i = 0; i < of_tile; ++i) results[done + i] = static_cast<float>(tiles[2][i]);
  }
}

// The exponents that most formulas have, done as NumPy does them.
template <class T>
void floating_power(std::span<const Operand> operands, void* out, size_t count) {
  const auto* base = static_cast<const T*>(operands[0].data);
  const T exponent = operands[1].is_constant ? *static_cast<const T*>(operands[1].data) : T{0};
  auto* results = static_cast<T*>(out);
  if (operands[0].is_constant || (exponent != 2 && exponent != T{0.5} && exponent != 1 && exponent != -1)) {
    general_power<T>(operands, out, count);
  } else if (exponent == 2) {
    for (size_t i = 0; i < count; ++i) results[i] = base[i] * base[i];
  } else if (exponent == 1) {
    for (size_t i = 0; i < count; ++i) results[i] = base[i];
  } else if (exponent == -1) {
    for (size_t i = 0; i < count; ++i) results[i] = T{1} / base[i];
  } else {
    for (size_t i = 0; i < count; ++i) results[i] = std::sqrt(base[i]);
  }
}

Function power_function() {
  return {{"**", "pow", "power", "Power"},
          2,
          2,
          Elementwise{
              .overloads = {{{},
                             overload<2, int64_t>([](int64_t a, int64_t b) { return integer_power(a, b); }),
                             {&floating_power<float>, TypeKind::kFloat32},
                             {&floating_power<double>, TypeKind::kFloat64}}},
              .needs_floating = [](std::span<const std::optional<int64_t>> operands) {
                return operands[1].has_value() && *operands[1] < 0;
              }}};
}

template <class T>
T negative(T x) {
  if constexpr (kIsInteger<T>) {
    return wrapping(0, x, [](uint64_t a, uint64_t b) { return a - b; });
  } else {
    return -x;
  }
}

// Applies an operation to integers as unsigned numbers, which wrap around.
template <class T, class Operation>
T arithmetic(T a, T b, Operation operation) {
  if constexpr (kIsInteger<T>) {
    return wrapping(a, b, operation);
  } else {
    return operation(a, b);
  }
}

}  // namespace

std::vector<Function> operators() {
  return {
      numeric<1>({"+", "positive"}, [](auto x) { return x; }),
      numeric<1>({"-", "negative"}, [](auto x) { return negative(x); }),
      numeric<2>({"+", "add"},
                 [](auto a, auto b) { return arithmetic(a, b, [](auto x, auto y) { return x + y; }); }),
      numeric<2>({"-", "subtract"},
                 [](auto a, auto b) { return arithmetic(a, b, [](auto x, auto y) { return x - y; }); }),
      numeric<2>({"*", "multiply"},
                 [](auto a, auto b) { return arithmetic(a, b, [](auto x, auto y) { return x * y; }); }),
      dividing(floating<2>({"/", "divide", "true_divide"}, [](auto a, auto b) { return a / b; })),
      dividing(numeric<2>({"//", "floor_divide"}, [](auto a, auto b) { return floored_quotient(a, b); })),
      dividing(numeric<2>({"%", "mod", "remainder"}, [](auto a, auto b) { return floored_remainder(a, b); })),
      power_function(),

      any_kind<2>({"<", "less"}, [](auto a, auto b) { return a < b; }),
      any_kind<2>({"<=", "less_equal"}, [](auto a, auto b) { return a <= b; }),
      any_kind<2>({">", "greater"}, [](auto a, auto b) { return a > b; }),
      any_kind<2>({">=", "greater_equal"}, [](auto a, auto b) { return a >= b; }),
      any_kind<2>({"==", "equal"}, [](auto a, auto b) { return a == b; }),
      any_kind<2>({"!=", "not_equal"}, [](auto a, auto b) { return a != b; }),

      logical<1>({"!", "logical_not"}, [](auto x) { return x == 0; }),
      logical<2>({"&&", "logical_and"}, [](auto a, auto b) { return a != 0 && b != 0; }),
      logical<2>({"||", "logical_or"}, [](auto a, auto b) { return a != 0 || b != 0; }),
      logical<2>({"logical_xor"}, [](auto a, auto b) { return (a != 0) != (b != 0); }),

      bitwise<1>({"~", "invert", "bitwise_not"},
                 [](auto x) {
                   if constexpr (kIsInteger<decltype(x)>) {
                     return ~x;
                   } else {
                     return x == 0;
                   }
                 }),
      bitwise<2>({"&", "bitwise_and"}, [](auto a, auto b) { return static_cast<decltype(a)>(a & b); }),
      bitwise<2>({"|", "bitwise_or"}, [](auto a, auto b) { return static_cast<decltype(a)>(a | b); }),
      bitwise<2>({"^", "bitwise_xor"}, [](auto a, auto b) { return static_cast<decltype(a)>(a ^ b); }),

      any_kind<3, 1>({"?:", "where", "Where"},
                     [](auto condition, auto a, auto b) { return condition != 0 ? a : b; }),
  };
}

}  // namespace sapwood::expr
