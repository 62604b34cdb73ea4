#include "sapwood/loader/balance.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "sapwood/base/error.h"

namespace sapwood {
namespace {

const std::vector<std::string> kClasses{"a", "b", "c"};

TEST(Quotas, OfClassesAreEqualOrAsAsked) {
  EXPECT_EQ(plan_quotas({}, kClasses, {100, 40, 1000}).of_cells, (std::vector<int64_t>{40, 40, 40}));
  const Balance twice{.most_copies = 2};
  EXPECT_EQ(plan_quotas(twice, kClasses, {100, 40, 1000}).of_cells, (std::vector<int64_t>{80, 80, 80}));
  const Balance shares{.fractions = {{"c", 0.7}, {"a", 0.2}, {"b", 0.1}}};
  EXPECT_EQ(plan_quotas(shares, kClasses, {100, 40, 1000}).of_cells, (std::vector<int64_t>{80, 40, 280}));
  const Balance rows{.rows = 100};
  EXPECT_EQ(plan_quotas(rows, kClasses, {100, 40, 1000}).of_cells, (std::vector<int64_t>{34, 33, 33}));
}

TEST(Quotas, OfBinsAreLevelUnlessTheyHoldTooLittle) {
  const Balance rows{.rows = 50};
  const Quotas quotas = plan_quotas(rows, {"a"}, {100, 0, 3, 30, 12});
  EXPECT_EQ(quotas.of_cells, (std::vector<int64_t>{18, 0, 3, 17, 12}));
  EXPECT_EQ(quotas.classes[0].bins, 4);
  EXPECT_EQ(quotas.classes[0].short_bins, 2);
  // The quantile of 2, 12, 30, 100 at 10 % is 5.
  EXPECT_EQ(plan_quotas({}, {"a"}, {100, 0, 2, 30, 12}).of_cells, (std::vector<int64_t>{5, 0, 2, 5, 5}));
}

TEST(Quotas, AddUpAndKeepWithinTheCopies) {
  std::mt19937_64 random(5);
  for (int trial = 0; trial < 2000; ++trial) {
    const size_t bins = 1 + random() % 6;
    Balance balance{.most_copies = 1 + static_cast<double>(random() % 50) / 10};
    if (random() % 2 == 0) balance.fractions = {{"a", 0.15}, {"b", 0.6}, {"c", 0.25}};
    std::vector<int64_t> stored;
    for (size_t c = 0; c < 3 * bins; ++c)
      stored.push_back(c % bins == 0 || random() % 4 != 0 ? 1 + static_cast<int64_t>(random() % 1000) : 0);
    const Quotas quotas = plan_quotas(balance, kClasses, stored);
    int64_t sum = 0;
    for (size_t c = 0; c < 3; ++c) {
      const double share = balance.fractions.empty() ? 1 / 3.0 : balance.fractions[c].second;
      EXPECT_NEAR(static_cast<double>(quotas.classes[c].rows), share * static_cast<double>(quotas.rows), 1);
      int64_t of_class = 0;
      for (size_t b = c * bins; b < (c + 1) * bins; ++b) {
        of_class += quotas.of_cells[b];
        EXPECT_LE(static_cast<double>(quotas.of_cells[b]),
                  static_cast<double>(stored[b]) * balance.most_copies);
      }
      EXPECT_EQ(of_class, quotas.classes[c].rows);
      sum += of_class;
    }
    EXPECT_EQ(sum, quotas.rows);
  }
}

TEST(Quotas, RefuseWhatTheRowsDontAllow) {
  const Balance rows{.rows = 130};
  EXPECT_THROW(plan_quotas(rows, kClasses, {100, 40, 1000}), ConfigError);
  EXPECT_THROW(plan_quotas({}, kClasses, {100, 0, 1000}), ConfigError);
  EXPECT_THROW(plan_quotas({}, {}, {}), ConfigError);
  EXPECT_THROW(check_balance({.most_copies = 0}), ConfigError);
  EXPECT_THROW(check_balance({.bins = {{"x", {1, 0}}}}), ConfigError);
}

}  // namespace
}  // namespace sapwood
