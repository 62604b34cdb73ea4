#include "sapwood/expr/stransverse_mass.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "sapwood/expr/test_table.h"

namespace sapwood::expr {
namespace {

// The example of the Oxbridge Kinetics Library and of the Python package mt2.
TEST(StransverseMass, IsThatOfTheReference) {
  EXPECT_NEAR(stransverse_mass({100, 410, 20, 100}, {150, -210, -300, 100}, -200, 280), 412.628838109, 1e-8);
  EXPECT_NEAR(stransverse_mass({150, -210, -300, 100}, {100, 410, 20, 100}, -200, 280), 412.628838109, 1e-8);
}

// 2 (|p1| |p2| + p1 p2), where nothing else recoils and nothing has mass.
TEST(StransverseMass, OfMasslessParticlesIsKnown) {
  const double px[] = {30, -5, 80, 0, 40};
  const double py[] = {10, 70, 1, -20, 40};
  for (size_t i = 0; i < 5; ++i) {
    for (size_t j = 0; j < 5; ++j) {
      const double square =
          2 * (std::hypot(px[i], py[i]) * std::hypot(px[j], py[j]) + px[i] * px[j] + py[i] * py[j]);
      EXPECT_NEAR(
          stransverse_mass({0, px[i], py[i], 0}, {0, px[j], py[j], 0}, -px[i] - px[j], -py[i] - py[j]),
          std::sqrt(square), 1e-5);
    }
  }
}

TEST(StransverseMass, IsAtLeastThatOfTheHeavierSide) {
  EXPECT_NEAR(stransverse_mass({100, 0, 0, 50}, {1, 10, 0, 1}, 0, 0), 150, 1e-5);
  EXPECT_NEAR(stransverse_mass({10, 0, 0, 0}, {10, 0, 0, 0}, 0, 0), 10, 1e-6);
  EXPECT_EQ(stransverse_mass({0, 0, 0, 0}, {0, 0, 0, 0}, 0, 0), 0);
}

TEST(StransverseMass, DoesNotDependOnTheUnit) {
  for (const double unit : {1e-100, 1e-3, 1e100}) {
    const double mass =
        stransverse_mass({1 * unit, 4.1 * unit, 0.2 * unit, 1 * unit},
                         {1.5 * unit, -2.1 * unit, -3 * unit, 1 * unit}, -2 * unit, 2.8 * unit);
    EXPECT_NEAR(mass / unit, 4.12628838109, 1e-9);
  }
}

TEST(StransverseMass, EndsForAnyNumbers) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(std::isnan(stransverse_mass({std::nan(""), 1, 2, 0}, {0, 1, 1, 0}, 3, 4)));
  EXPECT_FALSE(std::isfinite(stransverse_mass({0, kInfinity, 2, 0}, {0, 1, 1, 0}, 3, 4)));
  EXPECT_GE(stransverse_mass({-5, 1, 2, -3}, {0, 1, 1, 0}, 3, 4), 0);
}

TEST(StransverseMass, IsAFunctionOfFormulas) {
  const Table table({{"x", doubles({410, 410})}, {"f", floats({410, 0})}});
  const Column masses = table.evaluate("m_t2(100, x, 20, 150, -210, -300, -200, 280, 100, 100)");
  EXPECT_NEAR(masses.values.as<const double>()[1], 412.628838109, 1e-8);
  EXPECT_EQ(
      table.evaluate("m_t2(100, f, 20, 150, -210, -300, -200, 280, 100, 100)").values.as<const float>()[0],
      412.628838109F);
}

}  // namespace
}  // namespace sapwood::expr
