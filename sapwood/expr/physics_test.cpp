#include <gtest/gtest.h>

#include <numbers>

#include "sapwood/expr/test_table.h"

namespace sapwood {
namespace {

const Table& table() {
  static const Table kTable({
      {"pt", lists({2, 0, 1}, floats({50, 50, 20}))},
      {"eta", lists({2, 0, 1}, floats({0, 0, 1.5F}))},
      {"phi", lists({2, 0, 1}, floats({0, std::numbers::pi_v<float>, -1}))},
      {"mass", lists({2, 0, 1}, floats({0, 0, 0.5F}))},
      {"x", doubles({3, 0, 0})},
      {"y", doubles({4, 0, -2})},
      {"z", doubles({0, 5, 1})},
  });
  return kTable;
}
std::string text(const std::string& formula) { return table().text(formula); }
std::span<const double> values(const Column& column) { return column.values.as<const double>(); }

TEST(Physics, TurnsMomentaRound) {
  EXPECT_EQ(text("pt(x, y)"), "float64: 5 0 2");
  EXPECT_EQ(text("eta(x, y, z)"), "float64: 0 inf 0.48121182505960347");
  EXPECT_EQ(text("eta(0, 0, 0)"), "float64: nan nan nan");
  EXPECT_EQ(text("phi(0, y)"), "float64: 1.5707963267948966 0 -1.5707963267948966");
  EXPECT_EQ(text("px(pt, 0 * phi)"), "list<float32>: [50, 50] [] [20]");
  EXPECT_EQ(text("py(x, pi / 2)"), "float64: 3 0 0");
  EXPECT_EQ(text("pz(5, 0)"), "float64: 0 0 0");
  const Column round = table().evaluate(
      "abs(pt(px(pt, phi), py(pt, phi)) - pt) + abs(eta(px(pt, phi), py(pt, phi), pz(pt, eta)) - eta) + "
      "abs(delta_phi(phi(px(pt, phi), py(pt, phi)), phi))");
  for (const float difference : round.item().values.as<const float>()) EXPECT_NEAR(difference, 0, 2e-5);
}

TEST(Physics, KnowsEnergiesAndMasses) {
  EXPECT_EQ(text("energy(3, 0, 1, 4)"), "float64: 5 5 5");
  EXPECT_EQ(text("mass(13, 3, 4, 0)"), "float64: 12 12 12");
  EXPECT_EQ(text("mass(1, 1.5, 0, 0)"), "float64: 0 0 0");  // of rounding, most often
  EXPECT_EQ(text("isnan(mass(log(-1), 0, 0, 0))"), "bool: true true true");
  const Column masses = table().evaluate("invariant_mass(pt, eta, phi, mass)");
  EXPECT_NEAR(values(masses)[0], 100, 1e-9);
  EXPECT_EQ(values(masses)[1], 0);
  EXPECT_NEAR(values(masses)[2], 0.5, 1e-6);
  EXPECT_EQ(text("InvariantMass(pt, eta, phi, mass)"), text_of(masses));
}

TEST(Physics, PairsParticles) {
  const Column masses = table().evaluate(
      "invariant_masses(combinations(pt, 2, 0), combinations(eta, 2, 0), combinations(phi, 2, 0), 0, "
      "combinations(pt, 2, 1), combinations(eta, 2, 1), combinations(phi, 2, 1), 0)");
  EXPECT_EQ(masses.type, Type::list(TypeKind::kFloat64));
  ASSERT_EQ(masses.item().length, 1);
  EXPECT_NEAR(values(masses.item())[0], 100, 1e-9);
}

TEST(Physics, KnowsTransverseMassesAndAngles) {
  EXPECT_EQ(text("m_t(50, 0, 50, pi)"), "float64: 100 100 100");
  EXPECT_EQ(text("m_t(x, 1, y, 1)"), "float64: 0 0 -0");
  EXPECT_NEAR(values(table().evaluate("m_t(30, 0.5, 40, 7)"))[0], std::sqrt(2400 * (1 - std::cos(6.5))),
              1e-12);
  EXPECT_EQ(text("angle(1, 0, 0, 0, 2, 0)"),
            "float64: 1.5707963267948966 1.5707963267948966 1.5707963267948966");
  EXPECT_EQ(text("angle(x, y, z, 2 * x, 2 * y, 2 * z)"), "float64: 0 0 0");
  EXPECT_EQ(text("delta_r2(1, 2, 4, 6)"), text("DeltaR2(1, 4, 2, 6)"));
}

TEST(Physics, Boosts) {
  EXPECT_NEAR(values(table().evaluate("boost(0, 0, 0, 2 + 0 * x, 0, 0.6, 0, 1)"))[0], 1.5, 1e-14);
  EXPECT_NEAR(values(table().evaluate("boost(0, 0, 0, 2 + 0 * x, 0, 0.6, 0, 3)"))[0], 2.5, 1e-14);
  EXPECT_EQ(text("boost(x, y, z, 100, 0, 0, 0, 0)"), text("x"));
}

TEST(Physics, ReportsWhatDoesNotFitWhereItIsCalled) {
  try {
    table().evaluate("2 * px(pt, phi[:1])");
    FAIL();
  } catch (const SchemaError& error) {
    EXPECT_EQ(error.message(),
              "in entry 0 of the range, lists of 2 and of 1 items don't go together, at position 5\n"
              "  2 * px(pt, phi[:1])\n"
              "      ^");
  }
  try {
    table().evaluate("1 + invariant_mass(x, y, z, 0)");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.message(),
              "'invariant_mass' goes over a list, and x, y, z, 0 is a single value, at position 5\n"
              "  1 + invariant_mass(x, y, z, 0)\n"
              "      ^");
  }
}

}  // namespace
}  // namespace sapwood
