#include <gtest/gtest.h>

#include "sapwood/expr/test_table.h"

namespace sapwood {
namespace {

const Table& table() {
  static const Table kTable({
      {"v", lists({4, 2, 1, 0}, numbers({1, 2, 3, 4, 5, 6, 7}))},
      {"w", lists({2, 1, 0, 3}, floats({10, 20, 30, 40, 50, 60}))},
      {"nested", lists({3, 0, 0, 2}, lists({1, 0, 2, 0, 1}, numbers({1, 2, 3, 4})))},
      {"fixed", fixed_lists(3, numbers({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}))},
  });
  return kTable;
}
std::string text(const std::string& formula) { return table().text(formula); }

TEST(Combinations, AreChoicesOfItems) {
  EXPECT_EQ(text("combinations(v, 2, 0)"), "list<int64>: [1, 1, 1, 2, 2, 3] [5] [] []");
  EXPECT_EQ(text("combinations(v, 2, 1)"), "list<int64>: [2, 3, 4, 3, 4, 4] [6] [] []");
  EXPECT_EQ(text("combinations(v, 3, 0)"), "list<int64>: [1, 1, 1, 2] [] [] []");
  EXPECT_EQ(text("combinations(v, 3, 1)"), "list<int64>: [2, 2, 3, 3] [] [] []");
  EXPECT_EQ(text("combinations(v, 3, 2)"), "list<int64>: [3, 4, 4, 4] [] [] []");
  EXPECT_EQ(text("combinations(v, 4, 3)"), "list<int64>: [4] [] [] []");
  EXPECT_EQ(text("argcombinations(v, 3, 1)"), "list<int64>: [1, 1, 2, 2] [] [] []");
  EXPECT_EQ(text("max(combinations(v, 2, 0) + combinations(v, 2, 1))"), "int64: 7 11 0 0");
}

TEST(Combinations, TakeWhatIsInTheItemsAlong) {
  EXPECT_EQ(text("combinations(nested, 2, 0)"), "list<list<int64>>: [[1], [1], []] [] [] [[]]");
  EXPECT_EQ(text("combinations(nested, 2, 1)"), "list<list<int64>>: [[], [2, 3], [2, 3]] [] [] [[4]]");
}

TEST(Combinations, OfListsOfFixedSizeAreAsMany) {
  EXPECT_EQ(text("combinations(fixed, 2, 0)"), "int64[3]: [1, 1, 2] [4, 4, 5] [7, 7, 8] [10, 10, 11]");
  EXPECT_EQ(text("combinations(fixed, 4, 0)"), "list<int64>: [] [] [] []");
  EXPECT_EQ(text("len(cartesian(fixed, fixed, 1))"), "int64: 9 9 9 9");
}

TEST(Combinations, ArePairsOfTwoLists) {
  EXPECT_EQ(text("cartesian(v, w, 0)"), "list<int64>: [1, 1, 2, 2, 3, 3, 4, 4] [5, 6] [] []");
  EXPECT_EQ(text("cartesian(v, w, 1)"), "list<float32>: [10, 20, 10, 20, 10, 20, 10, 20] [30, 30] [] []");
  EXPECT_EQ(text("argcartesian(w, v, 1)"), "list<int64>: [0, 1, 2, 3, 0, 1, 2, 3] [0, 1] [] []");
  EXPECT_EQ(text("cartesian(w, nested, 1)"),
            "list<list<int64>>: [[1], [], [2, 3], [1], [], [2, 3]] [] [] [[], [4], [], [4], [], [4]]");
  EXPECT_EQ(text("cartesian(fixed, w, 0)"),
            "list<int64>: [1, 1, 2, 2, 3, 3] [4, 5, 6] [] [10, 10, 10, 11, 11, 11, 12, 12, 12]");
}

std::string refusal(const Table& many, const std::string& formula) {
  try {
    many.evaluate(formula);
  } catch (const Error& error) {
    return concat(error.kind(), ": ", error.what());
  }
  return "";
}

TEST(Combinations, AreNotTooMany) {
  const std::vector<int32_t> values(70000);
  const Table many({{"v", lists({70000}, numbers(values))}, {"fixed", fixed_lists(70000, numbers(values))}});
  EXPECT_EQ(refusal(many, "1 + combinations(v, 2, 0)"),
            "SchemaError: lists of more than 2147483648 items in all entries of the range, at position 5\n"
            "  1 + combinations(v, 2, 0)\n"
            "      ^");
  for (const char* formula : {"combinations(v, 4, 0)", "cartesian(v, fixed, 0)", "cartesian(v, v, 1)"}) {
    EXPECT_TRUE(refusal(many, formula).starts_with("SchemaError: lists of more than 2147483648 items"))
        << formula;
  }
  EXPECT_EQ(refusal(many, "cartesian(fixed, fixed, 0)"),
            "ConfigError: 'cartesian' makes more than 2147483648 items of these, at position 1\n"
            "  cartesian(fixed, fixed, 0)\n"
            "  ^");
}

TEST(Combinations, OfDefinitionsAreNotTooMany) {
  Table doubled = three_entries().define("c0", "triple");
  const auto define_more = [&] {
    for (int i = 0; i < 100; ++i) {
      doubled = doubled.define(concat("c", i + 1), concat("concatenate(c", i, ", c", i, ")"));
    }
  };
  EXPECT_THROW(define_more(), ConfigError);
}

TEST(Combinations, OfListsDoNotTakeTooManyAlong) {
  const std::vector<int32_t> values(70000);
  const Table many(
      {{"deep", lists({1}, lists({70000}, numbers(values)))}, {"v", lists({70000}, numbers(values))}});
  EXPECT_TRUE(refusal(many, "deep[0 * local_index(v)]").starts_with("SchemaError: lists of more than"));
}

}  // namespace
}  // namespace sapwood
