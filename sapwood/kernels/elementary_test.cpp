#include "sapwood/kernels/elementary.h"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace sapwood::kernels {
namespace {

template <class T>
using Reference = T (*)(T);

// The C library's functions of twice as many digits.
struct Named {
  Elementary function;
  const char* name;
  Reference<double> of_float;
  Reference<long double> of_double;
};

constexpr std::array kFunctions{
    Named{Elementary::kSin, "sin", &std::sin, &std::sin},
    Named{Elementary::kCos, "cos", &std::cos, &std::cos},
    Named{Elementary::kTan, "tan", &std::tan, &std::tan},
    Named{Elementary::kAsin, "asin", &std::asin, &std::asin},
    Named{Elementary::kAcos, "acos", &std::acos, &std::acos},
    Named{Elementary::kAtan, "atan", &std::atan, &std::atan},
    Named{Elementary::kSinh, "sinh", &std::sinh, &std::sinh},
    Named{Elementary::kCosh, "cosh", &std::cosh, &std::cosh},
    Named{Elementary::kTanh, "tanh", &std::tanh, &std::tanh},
    Named{Elementary::kAsinh, "asinh", &std::asinh, &std::asinh},
    Named{Elementary::kAcosh, "acosh", &std::acosh, &std::acosh},
    Named{Elementary::kAtanh, "atanh", &std::atanh, &std::atanh},
    Named{Elementary::kExp, "exp", &std::exp, &std::exp},
    Named{Elementary::kExpm1, "expm1", &std::expm1, &std::expm1},
    Named{Elementary::kLog, "log", &std::log, &std::log},
    Named{Elementary::kLog2, "log2", &std::log2, &std::log2},
    Named{Elementary::kLog10, "log10", &std::log10, &std::log10},
    Named{Elementary::kLog1p, "log1p", &std::log1p, &std::log1p},
    Named{Elementary::kExp2, "exp2", &std::exp2, &std::exp2},
    Named{Elementary::kCbrt, "cbrt", &std::cbrt, &std::cbrt},
};

// Of all sizes there are, and of those that formulas meet.
template <class T>
std::vector<T> numbers() {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  using Limits = std::numeric_limits<T>;
  std::mt19937_64 random(7);
  std::vector<T> result{0,
                        -T{0},
                        Limits::infinity(),
                        -Limits::infinity(),
                        Limits::quiet_NaN(),
                        Limits::max(),
                        Limits::lowest(),
                        Limits::min(),
                        Limits::denorm_min(),
                        -Limits::denorm_min(),
                        1,
                        -1};
  for (int i = 0; i < 100000; ++i) result.push_back(std::bit_cast<T>(static_cast<Bits>(random())));
  for (const double width : {1.0, 4.0, 100.0, 1000.0}) {
    std::uniform_real_distribution<double> usual(-width, width);
    for (int i = 0; i < 50000; ++i) result.push_back(static_cast<T>(usual(random)));
  }
  return result;
}

// Units in the last place between a result and the exact number; the infinity begins where the largest number
// would have its next neighbour.
template <class T, class Exact>
double units_apart(T result, Exact exact) {
  if (std::isnan(exact)) return std::isnan(result) ? 0 : INFINITY;
  if (static_cast<T>(exact) == result) return 0;
  if (!std::isfinite(result) || !std::isfinite(static_cast<T>(exact))) return INFINITY;
  const T rounded = static_cast<T>(exact);
  const T next = std::nextafter(std::fabs(rounded), std::numeric_limits<T>::infinity());
  const Exact unit = static_cast<Exact>(next) - static_cast<Exact>(std::fabs(rounded));
  return static_cast<double>(std::fabs(static_cast<Exact>(result) - exact) / unit);
}

template <class T, class Exact>
void expect_close(const Named& named, Reference<Exact> reference) {
  const std::vector<T> in = numbers<T>();
  std::vector<T> out(in.size());
  elementary(named.function, in.data(), out.data(), in.size());
  for (size_t i = 0; i < in.size(); ++i) {
    const double apart = units_apart(out[i], reference(static_cast<Exact>(in[i])));
    ASSERT_LT(apart, 2) << named.name << " of " << in[i] << " is " << out[i];
  }
}

TEST(Elementary, WithinTwoUnitsInTheLastPlace) {
  for (const Named& named : kFunctions) {
    expect_close<float>(named, named.of_float);
    expect_close<double>(named, named.of_double);
  }
}

// What an element gives does not depend on its place, nor on how many there are.
template <class T>
void expect_same_anywhere(Elementary function) {
  const std::vector<T> in{T(0.25), T(-0.5), T(0.75), T(1), T(2.5), T(3), T(1e-3), T(40), T(-7)};
  for (const T x : in) {
    T alone = 0;
    elementary(function, &x, &alone, 1);
    for (size_t count = 1; count <= 40; ++count) {
      const std::vector<T> many(count, x);
      std::vector<T> out(count + 1, T{77});
      elementary(function, many.data(), out.data(), count);
      for (size_t i = 0; i < count; ++i) {
        if (std::isnan(alone)) {
          ASSERT_TRUE(std::isnan(out[i]));
        } else {
          ASSERT_EQ(out[i], alone) << x;
        }
      }
      ASSERT_EQ(out[count], T{77});
    }
  }
}

TEST(Elementary, PlaceDoesNotMatter) {
  for (const Named& named : kFunctions) {
    expect_same_anywhere<float>(named.function);
    expect_same_anywhere<double>(named.function);
  }
}

template <class T>
std::vector<T> results(Elementary function) {
  const std::vector<T> in = numbers<T>();
  std::vector<T> out(in.size());
  elementary(function, in.data(), out.data(), in.size());
  return out;
}

template <class T>
using ReferenceOfTwo = T (*)(T, T);

template <class T, class Exact>
void expect_close(ElementaryOfTwo function, const char* name, ReferenceOfTwo<Exact> reference) {
  const std::vector<T> a = numbers<T>();
  std::vector<T> b = a;
  std::ranges::shuffle(b, std::mt19937(8));
  for (size_t i = 0; i < 12; ++i) b[i] = a[(i * 7 + 5) % 12];
  for (int constants = 0; constants < 3; ++constants) {
    const ElementaryOperand<T> first{constants == 1 ? a.data() + 17 : a.data(), constants == 1};
    const ElementaryOperand<T> second{constants == 2 ? &b.back() : b.data(), constants == 2};
    const size_t count = a.size() - static_cast<size_t>(constants);
    std::vector<T> out(count);
    elementary(function, first, second, out.data(), count);
    for (size_t i = 0; i < count; ++i) {
      const T x = first.data[first.is_constant ? 0 : i];
      const T y = second.data[second.is_constant ? 0 : i];
      ASSERT_LT(units_apart(out[i], reference(static_cast<Exact>(x), static_cast<Exact>(y))), 2)
          << name << " of " << x << " and " << y << " is " << out[i];
    }
  }
}

template <class T>
std::vector<T> results(ElementaryOfTwo function) {
  const std::vector<T> a = numbers<T>();
  const std::vector<T> b(a.rbegin(), a.rend());
  std::vector<T> out(a.size());
  elementary(function, {a.data()}, {b.data()}, out.data(), a.size());
  return out;
}

TEST(Elementary, OfTwoWithinTwoUnitsInTheLastPlace) {
  expect_close<float, double>(ElementaryOfTwo::kAtan2, "atan2", &std::atan2);
  expect_close<double, long double>(ElementaryOfTwo::kAtan2, "atan2", &std::atan2);
  expect_close<float, double>(ElementaryOfTwo::kHypot, "hypot", &std::hypot);
  expect_close<double, long double>(ElementaryOfTwo::kHypot, "hypot", &std::hypot);
  expect_close<float, double>(ElementaryOfTwo::kPow, "pow", &std::pow);
  expect_close<double, long double>(ElementaryOfTwo::kPow, "pow", &std::pow);
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return std::ranges::equal(
      a, b, [](T x, T y) { return x == y ? std::signbit(x) == std::signbit(y) : x != x && y != y; });
}

template <class Function>
void expect_same_on_every_processor(Function function) {
  const std::vector<float> singles = results<float>(function);
  const std::vector<double> doubles = results<double>(function);
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    const std::vector<float> other_singles = results<float>(function);
    const std::vector<double> other_doubles = results<double>(function);
    hwy::SetSupportedTargetsForTest(0);
    EXPECT_TRUE(same_bits(singles, other_singles)) << static_cast<int>(function) << hwy::TargetName(target);
    EXPECT_TRUE(same_bits(doubles, other_doubles)) << static_cast<int>(function) << hwy::TargetName(target);
  }
}

// Those whose instructions this processor has.
TEST(Elementary, SameBitsOnEveryProcessor) {
  for (const Named& named : kFunctions) expect_same_on_every_processor(named.function);
  for (const auto function : {ElementaryOfTwo::kAtan2, ElementaryOfTwo::kHypot, ElementaryOfTwo::kPow})
    expect_same_on_every_processor(function);
}

}  // namespace
}  // namespace sapwood::kernels
