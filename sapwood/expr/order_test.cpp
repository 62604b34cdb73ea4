#include <gtest/gtest.h>

#include <limits>

#include "sapwood/expr/test_table.h"

namespace sapwood {
namespace {

const Table& table() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static const double kNan = std::nan("");
  static const Table kTable({
      {"v", lists({4, 0, 2}, doubles({3, kNan, 1, 2, kNan, -kInfinity}))},
      {"same", lists({4, 1, 0}, numbers({1, 0, 1, 0, 5}))},
      {"flags", lists({3, 0, 0}, bools({1, 0, 1}))},
      {"nested", lists({2, 0, 1}, lists({3, 0, 1}, floats({2, 1, 3, 4})))},
      {"fixed", fixed_lists(2, numbers({2, 1, 3, 4, 6, 5}))},
      {"sums", lists({3, 0, 0}, floats({16777216.0F, 1, 1}))},
  });
  return kTable;
}
std::string text(const std::string& formula) { return table().text(formula); }

TEST(Order, IsThatOfValuesWithNanLast) {
  EXPECT_EQ(text("sort(v)"), "list<float64>: [1, 2, 3, nan] [] [-inf, nan]");
  EXPECT_EQ(text("argsort(v)"), "list<int64>: [2, 3, 0, 1] [] [1, 0]");
  EXPECT_EQ(text("v[argsort(v)]"), text("sort(v)"));
  EXPECT_EQ(text("v[argsort(-v)]"), "list<float64>: [3, 2, 1, nan] [] [-inf, nan]");
  EXPECT_EQ(text("np.sort(same)"), "list<int64>: [0, 0, 1, 1] [5] []");
  EXPECT_EQ(text("sort(flags)"), "list<bool>: [false, true, true] [] []");
  EXPECT_EQ(text("ROOT::VecOps::Sort(fixed)"), "int64[2]: [1, 2] [3, 4] [5, 6]");
}

TEST(Order, OfEqualItemsStays) {
  EXPECT_EQ(text("argsort(same)"), "list<int64>: [1, 3, 0, 2] [0] []");
  EXPECT_EQ(text("argsort(flags)"), "list<int64>: [1, 0, 2] [] []");
}

TEST(Order, IsThatOfTheInnermostLists) {
  EXPECT_EQ(text("sort(nested)"), "list<list<float32>>: [[1, 2, 3], []] [] [[4]]");
  EXPECT_EQ(text("reverse(nested)"), "list<list<float32>>: [[3, 1, 2], []] [] [[4]]");
  EXPECT_EQ(text("nested[argsort(nested)]"), text("sort(nested)"));
  EXPECT_EQ(text("local_index(nested)"), "list<list<int64>>: [[0, 1, 2], []] [] [[0]]");
}

TEST(Order, IsTurnedRound) {
  EXPECT_EQ(text("reverse(same)"), "list<int64>: [0, 1, 0, 1] [5] []");
  EXPECT_EQ(text("Reverse(flags)"), "list<bool>: [true, false, true] [] []");
  EXPECT_EQ(text("reverse(sort(fixed))"), "int64[2]: [2, 1] [4, 3] [6, 5]");
}

TEST(Order, IsThatOfSummingUp) {
  EXPECT_EQ(text("cumsum(same)"), "list<int64>: [1, 1, 2, 2] [5] []");
  EXPECT_EQ(text("cumsum(flags)"), "list<int64>: [1, 1, 2] [] []");
  EXPECT_EQ(text("cumsum(nested)"), "list<list<float32>>: [[2, 3, 6], []] [] [[4]]");
  EXPECT_EQ(text("cumsum(v)"), "list<float64>: [3, nan, nan, nan] [] [nan, nan]");
  EXPECT_EQ(text("cumsum(sums)"), "list<float32>: [16777216, 16777216, 16777218] [] []");
}

TEST(Order, BringsEqualItemsTogether) {
  EXPECT_EQ(text("unique(same)"), "list<int64>: [0, 1] [5] []");
  EXPECT_EQ(text("unique(concatenate(v, v))"), "list<float64>: [1, 2, 3, nan] [] [-inf, nan]");
  EXPECT_EQ(text("unique(flags)"), "list<bool>: [false, true] [] []");
  EXPECT_EQ(text("unique(nested)"), "list<list<float32>>: [[1, 2, 3], []] [] [[4]]");
  EXPECT_EQ(text("begins_run(same)"), "list<bool>: [true, true, true, true] [true] []");
  EXPECT_EQ(text("begins_run(sort(same))"), "list<bool>: [true, false, true, false] [true] []");
}

TEST(Order, HasAMiddle) {
  EXPECT_EQ(text("median(same)"), "float64: 0.5 5 nan");
  EXPECT_EQ(text("median(v)"), "float64: nan nan nan");
  EXPECT_EQ(text("median(nested)"), "list<float32>: [2, nan] [] [4]");
  EXPECT_EQ(text("median(flags)"), "float64: 1 nan nan");
  EXPECT_EQ(text("ptp(same)"), "int64: 1 0 0");
  EXPECT_EQ(text("ptp(v)"), "float64: nan nan nan");
}

TEST(Order, HasPlaces) {
  EXPECT_EQ(text("nonzero(same)"), "list<int64>: [0, 2] [0] []");
  EXPECT_EQ(text("Nonzero(v > 1)"), "list<int64>: [0, 3] [] []");
  EXPECT_EQ(text("nonzero(nested > 1)"), "list<list<int64>>: [[0, 2], []] [] [[0]]");
  EXPECT_EQ(text("local_index(v)"), "list<int64>: [0, 1, 2, 3] [] [0, 1]");
  EXPECT_EQ(text("Enumerate(fixed)"), "int64[2]: [0, 1] [0, 1] [0, 1]");
  EXPECT_EQ(text("argslice(v, 1, -1)"), "list<int64>: [1, 2] [] []");
  EXPECT_EQ(text("argdrop(v, same)"), "list<int64>: [2, 3] [] [0, 1]");
}

}  // namespace
}  // namespace sapwood
