#include "sapwood/expr/stransverse_mass.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "sapwood/expr/test_table.h"

namespace sapwood::expr {
namespace {

// The example of the Python package mt2, which has the authors' program.
TEST(StransverseMass, IsThatOfTheReference) {
  EXPECT_NEAR(stransverse_mass({100, 410, 20, 100}, {150, -210, -300, 100}, -200, 280), 412.628, 5e-4);
  EXPECT_NEAR(stransverse_mass({150, -210, -300, 100}, {100, 410, 20, 100}, -200, 280), 412.628, 5e-4);
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
          std::sqrt(square), i == j ? 1e-4 : 1e-10);
    }
  }
}

TEST(StransverseMass, IsAtLeastThatOfTheHeavierSide) {
  EXPECT_NEAR(stransverse_mass({100, 0, 0, 50}, {1, 10, 0, 1}, 0, 0), 150, 1e-5);
  EXPECT_NEAR(stransverse_mass({10, 0, 0, 0}, {10, 0, 0, 0}, 0, 0), 10, 1e-6);
  EXPECT_EQ(stransverse_mass({0, 0, 0, 0}, {0, 0, 0, 0}, 0, 0), 0);
}

TEST(StransverseMass, DoesNotDependOnTheUnit) {
  const double of_units = stransverse_mass({1, 4.1, 0.2, 1}, {1.5, -2.1, -3, 1}, -2, 2.8);
  for (const double unit : {1e-100, 1e-3, 1e100}) {
    const double mass =
        stransverse_mass({1 * unit, 4.1 * unit, 0.2 * unit, 1 * unit},
                         {1.5 * unit, -2.1 * unit, -3 * unit, 1 * unit}, -2 * unit, 2.8 * unit);
    EXPECT_NEAR(mass / unit, of_units, 1e-13);
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
  EXPECT_NEAR(masses.values.as<const double>()[1], 412.628, 5e-4);
  const Column rounded = table.evaluate("m_t2(100, f, 20, 150, -210, -300, -200, 280, 100, 100)");
  EXPECT_EQ(rounded.values.as<const float>()[0], static_cast<float>(masses.values.as<const double>()[0]));
}

}  // namespace
}  // namespace sapwood::expr
