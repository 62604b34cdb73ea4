#include "sapwood/expr/estimate.h"

#include <gtest/gtest.h>

#include "sapwood/expr/test_table.h"

namespace sapwood::expr {
namespace {

double estimate(const std::string& formula) {
  static const Table kTable(
      {{"v", lists({1}, floats({1}))}, {"nested", lists({1}, lists({1}, floats({1})))}});
  const Schema& schema = kTable.schema();
  Compiler compiler;
  compiler.add("v", schema);
  compiler.add("nested", schema);
  compiler.add(formula, schema);
  const std::vector<double> columns{10, 50};
  return values_per_entry(compiler.program(), columns)[compiler.program().results.back().input.index];
}

TEST(Estimate, OfChoicesIsThatOfAllItems) {
  for (const char* formula :
       {"v + 1", "v[v > 0]", "v[:3]", "sort(v)", "v[argsort(v)]", "drop(v, nonzero(v))"}) {
    EXPECT_EQ(estimate(formula), 10) << formula;
  }
  EXPECT_EQ(estimate("sum(v)"), 1);
  EXPECT_EQ(estimate("nested[v > 0]"), 50);
  EXPECT_EQ(estimate("nested[:2]"), 50);
}

TEST(Estimate, OfCombinationsIsThatOfListsOfManySizes) {
  EXPECT_EQ(estimate("combinations(v, 2, 0)"), 100);
  EXPECT_EQ(estimate("combinations(v, 3, 0)"), 1000);
  EXPECT_EQ(estimate("cartesian(v, v, 0)"), 210);
  EXPECT_EQ(estimate("concatenate(v, v, v)"), 30);
  EXPECT_EQ(estimate("combinations(combinations(combinations(combinations(v, 4, 0), 4, 0), 4, 0), 4, 0)"),
            kMaxItems);
}

// Lists whose sizes are spread evenly from 0 to 2 * mean, and those that are all of one size.
TEST(Estimate, IsAnUpperBound) {
  for (const char* formula : {"combinations(v, 2, 0)", "combinations(v, 3, 0)", "combinations(v, 4, 0)",
                              "cartesian(v, v, 0)", "concatenate(v, v)"}) {
    for (const bool is_spread : {false, true}) {
      std::vector<int64_t> sizes;
      std::vector<float> values;
      for (int64_t i = 0; i <= 20; ++i) sizes.push_back(is_spread ? i : 10);
      values.resize(210);
      const Table table({{"v", lists(sizes, floats(values))}});
      const auto items = static_cast<double>(table.evaluate(formula).item().length);
      EXPECT_GE(estimate(formula), items / 21) << formula;
    }
  }
}

}  // namespace
}  // namespace sapwood::expr
