#include <gtest/gtest.h>

#include <limits>
#include <numbers>

#include "sapwood/expr/test_table.h"

namespace sapwood {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

TEST(Functions, ComputeInTheOperandsPrecision) {
  const Table table({{"f", floats({0.7F})}, {"d", doubles({0.7})}});
  struct Case {
    const char* name;
    float in_float32;
    double in_float64;
  };
  // Volatile: the compiler computes what it knows itself, and in the last bit otherwise than the library.
  const volatile float known_f = 0.7F;
  const volatile double known_d = 0.7;
  const float f = known_f;
  const double d = known_d;
  const std::vector<Case> cases = {
      {"sqrt", std::sqrt(f), std::sqrt(d)},
      {"cbrt", std::cbrt(f), std::cbrt(d)},
      {"exp", std::exp(f), std::exp(d)},
      {"exp2", std::exp2(f), std::exp2(d)},
      {"expm1", std::expm1(f), std::expm1(d)},
      {"log", std::log(f), std::log(d)},
      {"log2", std::log2(f), std::log2(d)},
      {"log10", std::log10(f), std::log10(d)},
      {"log1p", std::log1p(f), std::log1p(d)},
      {"sin", std::sin(f), std::sin(d)},
      {"cos", std::cos(f), std::cos(d)},
      {"tan", std::tan(f), std::tan(d)},
      {"asin", std::asin(f), std::asin(d)},
      {"acos", std::acos(f), std::acos(d)},
      {"atan", std::atan(f), std::atan(d)},
      {"sinh", std::sinh(f), std::sinh(d)},
      {"cosh", std::cosh(f), std::cosh(d)},
      {"tanh", std::tanh(f), std::tanh(d)},
      {"asinh", std::asinh(f), std::asinh(d)},
      {"atanh", std::atanh(f), std::atanh(d)},
      {"abs", f, d},
      {"floor", 0, 0},
      {"ceil", 1, 1},
      {"trunc", 0, 0},
      {"round", 1, 1},
      {"sign", 1, 1},
      {"square", f * f, d * d},
  };
  for (const Case& c : cases) {
    EXPECT_FLOAT_EQ(table.evaluate(concat(c.name, "(f)")).values.as<const float>()[0], c.in_float32)
        << c.name;
    EXPECT_DOUBLE_EQ(table.evaluate(concat(c.name, "(d)")).values.as<const double>()[0], c.in_float64)
        << c.name;
  }
  EXPECT_EQ(table.text("acosh(f + 1) == arccosh(1 + f)"), "bool: true");
  EXPECT_EQ(table.evaluate("atan2(f, -f)").values.as<const float>()[0], std::atan2(f, -f));
  EXPECT_EQ(table.evaluate("hypot(d, 3)").values.as<const double>()[0], std::hypot(d, 3.0));
}

TEST(Functions, AnswerToTheNamesOfOtherLibraries) {
  const Table table({{"x", doubles({0.5, -2})}, {"list", lists({1, 2}, floats({3, 1, 2}))}});
  for (const char* name : {"abs(x)", "np.abs(x)", "numpy.absolute(x)", "std::abs(x)", "TMath::Abs(x)"}) {
    EXPECT_EQ(table.text(name), "float64: 0.5 2") << name;
  }
  for (const char* name : {"sum(list)", "ak.sum(list)", "Sum(list)", "ROOT::VecOps::Sum(list)"}) {
    EXPECT_EQ(table.text(name), "float32: 3 3") << name;
  }
  EXPECT_EQ(table.text("minimum(x, 0)"), table.text("TMath::Min(x, 0)"));
}

TEST(Functions, ChooseThePrecision) {
  const Table table({{"x", floats({0.1F, 3})}, {"n", numbers({1, 2})}});
  EXPECT_EQ(table.text("float64(x)"), "float64: 0.10000000149011612 3");
  EXPECT_EQ(table.text("np.float32(n / 3)"), "float32: 0.33333334 0.6666667");
  EXPECT_EQ(table.text("float64(n) == n"), "bool: true true");
}

TEST(Functions, RoundHalvesToEven) {
  const Table table({{"x", doubles({0.5, 1.5, -2.5, 2.6, kNan, -0.2})}, {"n", numbers({1, 2, 3, 4, 5, 6})}});
  EXPECT_EQ(table.text("round(x)"), "float64: 0 2 -2 3 nan -0");
  EXPECT_EQ(table.text("floor(x)"), "float64: 0 1 -3 2 nan -1");
  EXPECT_EQ(table.text("ceil(x)"), "float64: 1 2 -2 3 nan -0");
  EXPECT_EQ(table.text("trunc(x)"), "float64: 0 1 -2 2 nan -0");
  EXPECT_EQ(table.text("sign(x)"), "float64: 1 1 -1 1 nan -1");
  EXPECT_EQ(table.text("round(n)"), "int64: 1 2 3 4 5 6");
}

TEST(Functions, TreatNan) {
  const Table table({{"x", doubles({1, kNan, -kInfinity})}, {"n", numbers({-1, 0, 1})}});
  EXPECT_EQ(table.text("isnan(x)"), "bool: false true false");
  EXPECT_EQ(table.text("isinf(x)"), "bool: false false true");
  EXPECT_EQ(table.text("isfinite(x)"), "bool: true false false");
  EXPECT_EQ(table.text("isnan(n)"), "bool: false false false");
  EXPECT_EQ(table.text("nan_to_num(x)"), "float64: 1 0 -1.7976931348623157e+308");
  EXPECT_EQ(table.text("nan_to_num(x, -9)"), "float64: 1 -9 -1.7976931348623157e+308");
  EXPECT_EQ(table.text("nan_to_num(n)"), "int64: -1 0 1");
  EXPECT_EQ(table.text("min(x, 0)"), "float64: 0 nan -inf");
  EXPECT_EQ(table.text("max(0, x)"), "float64: 1 nan 0");
  EXPECT_EQ(table.text("max(x, n)"), "float64: 1 nan 1");
  EXPECT_EQ(table.text("clip(x, -2, 0.5)"), "float64: 0.5 nan -2");
  EXPECT_EQ(table.text("x != x"), "bool: false true false");
}

TEST(Functions, ChooseTheSmallerAndTheLarger) {
  const Table table({{"n", numbers({-5, 5})}, {"flag", bools({0, 1})}, {"f", floats({1, 2})}});
  EXPECT_EQ(table.text("min(n, 3)"), "int64: -5 3");
  EXPECT_EQ(table.text("maximum(n, f)"), "float64: 1 5");
  EXPECT_EQ(table.text("min(flag, true)"), "bool: false true");
  EXPECT_EQ(table.text("clip(n, -2, 2)"), "int64: -2 2");
  EXPECT_EQ(table.text("clip(f, 0, 1.5)"), "float32: 1 1.5");
  EXPECT_EQ(table.text("clip(f, 3, 1)"), "float32: 1 1");
  EXPECT_EQ(table.text("clip(f, log(-1), 1.5)"), "float32: 1 1.5");
}

TEST(Functions, DivideDownwards) {
  const Table table({{"i", column_of_values<int64_t>(TypeKind::kInt64, {7, -7, 7, -7, INT64_MIN, 5})},
                     {"j", column_of_values<int64_t>(TypeKind::kInt64, {2, 2, -2, -2, -1, 0})},
                     {"x", doubles({7.5, -7.5, 1, -1, kNan, 1})},
                     {"y", doubles({2, 2, kInfinity, kInfinity, 1, 0})}});
  EXPECT_EQ(table.text("floor_divide(i, j)"), "int64: 3 -4 -4 3 -9223372036854775808 0");
  EXPECT_EQ(table.text("floor_divide(x, y)"), "float64: 3 -4 0 -1 nan inf");
}

TEST(Functions, CompareWithinTolerances) {
  const Table table({{"a", doubles({1, 1, kInfinity, kNan, 100, 1})},
                     {"b", doubles({1 + 1e-6, 1.1, kInfinity, kNan, 101, kInfinity})}});
  EXPECT_EQ(table.text("isclose(a, b)"), "bool: true false true false false false");
  EXPECT_EQ(table.text("isclose(a, b, 0, 1)"), "bool: true true true false true false");
}

TEST(Functions, StepAtZero) {
  const Table table({{"x", doubles({-1, -0.0, 3, kNan})}});
  EXPECT_EQ(table.text("heaviside(x, 0.5)"), "float64: 0 0.5 1 nan");
}

TEST(Functions, WrapAngles) {
  const double pi = std::numbers::pi;
  const Table table(
      {{"a", doubles({3, -3, pi, -pi, 0, 20, 1e-9, kNan})}, {"b", doubles({-3, 3, 0, 0, 0, 1, 0, 0})}});
  const auto differences = table.evaluate("delta_phi(a, b)");
  const auto values = differences.values.as<const double>();
  EXPECT_DOUBLE_EQ(values[0], 6 - 2 * pi);
  EXPECT_DOUBLE_EQ(values[1], 2 * pi - 6);
  EXPECT_EQ(values[2], -pi);
  EXPECT_EQ(values[3], -pi);
  EXPECT_EQ(values[4], 0);
  EXPECT_DOUBLE_EQ(values[5], 19 - 6 * pi);
  EXPECT_EQ(values[6], 1e-9);
  EXPECT_TRUE(std::isnan(values[7]));
  EXPECT_EQ(table.text("ROOT::VecOps::DeltaPhi(b, a)"), text_of(differences));
}

TEST(Functions, KeepAnglesWithinTheirRange) {
  std::vector<float> angles;
  for (int i = -4000; i <= 4000; ++i) angles.push_back(static_cast<float>(i) * 0.01F);
  for (const int turns : {-3, -1, 1, 3, 5}) {
    const float border = static_cast<float>(turns) * std::numbers::pi_v<float>;
    angles.insert(angles.end(), {border, std::nextafter(border, -100.F), std::nextafter(border, 100.F)});
  }
  const Table table({{"a", floats(angles)}});
  const Column wrapped = table.evaluate("delta_phi(a, 0)");
  const auto values = wrapped.values.as<const float>();
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_GE(values[i], -std::numbers::pi_v<float>) << angles[i];
    EXPECT_LT(values[i], std::numbers::pi_v<float>) << angles[i];
    EXPECT_NEAR(std::sin(values[i]), std::sin(angles[i]), 1e-5) << angles[i];
  }
}

TEST(Functions, MeasureDistances) {
  const Table table({{"eta", lists({2}, floats({1, 2}))}, {"phi", lists({2}, floats({3, -3}))}});
  EXPECT_EQ(table.text("delta_r(eta, phi, 1, 3)[0]"), "float32: 0");
  const Column far = table.evaluate("delta_r(eta, phi, 1, 3)[1]");
  EXPECT_NEAR(far.values.as<const float>()[0], std::hypot(1, 2 * std::numbers::pi - 6), 1e-6);
  EXPECT_EQ(table.text("DeltaR(eta, eta + 1, phi, 0)"), table.text("delta_r(eta, phi, eta + 1, 0)"));
}

}  // namespace
}  // namespace sapwood
