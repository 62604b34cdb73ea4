#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <optional>
#include <random>

#include "sapwood/expr/test_table.h"

namespace sapwood {
namespace {

const Table& table() {
  static const Table kTable = three_entries();
  return kTable;
}
std::string text(const std::string& formula) { return table().text(formula); }

TEST(Lists, CombineItemByItem) {
  EXPECT_EQ(text("pt * eta"), "list<float32>: [10, -40] [] [15]");
  EXPECT_EQ(text("pt > 15 && good"), "list<bool>: [false, false] [] [true]");
  EXPECT_EQ(text("-id"), "list<int64>: [-11, 13] [] [-11]");
  EXPECT_EQ(text("hits + times"), "list<list<float64>>: [[6], [8, 10]] [] [[]]");
}

TEST(Lists, TakeValuesOfTheEntry) {
  EXPECT_EQ(text("pt * x"), "list<float32>: [15, 30] [] [0]");
  EXPECT_EQ(text("y + pt"), "list<float64>: [10.1, 20.1] [] [29]");
  EXPECT_EQ(text("1000 / pt"), "list<float32>: [100, 50] [] [33.333332]");
  EXPECT_EQ(text("n * times"), "list<list<int64>>: [[5], [6, 7]] [] [[]]");
  EXPECT_EQ(text("where(flag, pt, 0)"), "list<float32>: [10, 20] [] [30]");
  EXPECT_EQ(text("clip(pt, 2 * m, 18)"), "list<float64>: [10, 18] [] [18]");
}

TEST(Lists, TakeValuesOfAnOuterList) {
  EXPECT_EQ(text("hits * pt"), "list<list<float64>>: [[10], [40, 60]] [] [[]]");
  EXPECT_EQ(text("pt + tracks"), "list<float64[2]>: [[11, 12], [23, 24]] [] [[35, 36]]");
  EXPECT_EQ(text("vector[0] * hits"), "list<list<float64>>: [[1], [2, 3]] [] [[]]");
}

TEST(Lists, OfFixedSizeStayFixed) {
  EXPECT_EQ(text("vector * 2"), "float32[2]: [2, 4] [6, 8] [10, 12]");
  EXPECT_EQ(text("vector + n"), "float64[2]: [2, 3] [1, 2] [8, 9]");
  EXPECT_EQ(text("matrix + matrix"),
            "int64[2][2]: [[2, 4], [6, 8]] [[10, 12], [14, 16]] [[18, 20], [22, 24]]");
  EXPECT_EQ(text("matrix * vector"),
            "float64[2][2]: [[1, 2], [6, 8]] [[15, 18], [28, 32]] [[45, 50], [66, 72]]");
}

TEST(Lists, OfFixedSizeMeetJaggedOnes) {
  EXPECT_EQ(text("vector + pairs"), "list<float32>: [2, 4] [6, 8] [10, 12]");
  EXPECT_EQ(text("matrix + pairs"),
            "list<float64[2]>: [[2, 3], [5, 6]] [[8, 9], [11, 12]] [[14, 15], [17, 18]]");
}

TEST(Lists, AreSummedUp) {
  EXPECT_EQ(text("sum(pt)"), "float32: 30 0 30");
  EXPECT_EQ(text("sum(id)"), "int64: -2 0 11");
  EXPECT_EQ(text("sum(good)"), "int64: 1 0 1");
  EXPECT_EQ(text("prod(pt)"), "float32: 200 1 30");
  EXPECT_EQ(text("prod(id)"), "int64: -143 1 11");
  EXPECT_EQ(text("mean(pt)"), "float32: 15 nan 30");
  EXPECT_EQ(text("mean(id)"), "float64: -1 nan 11");
  EXPECT_EQ(text("sum(triple)"), "int64: 6 15 24");
  EXPECT_EQ(text("sum(hits)"), "list<float64>: [1, 5] [] [0]");
  EXPECT_EQ(text("sum(sum(hits))"), "float64: 6 0 0");
  EXPECT_EQ(text("sum(matrix)"), "int64[2]: [3, 7] [11, 15] [19, 23]");
  EXPECT_EQ(text("pt / sum(pt)"), "list<float32>: [0.33333334, 0.6666667] [] [1]");
  EXPECT_EQ(text("sum(pt * eta) / sum(pt)"), "float32: -1 nan 0.5");
}

TEST(Lists, AreSummedInDoublePrecision) {
  const Table small({{"v", lists({3}, floats({16777216.0F, 1, 1}))}});
  EXPECT_EQ(small.text("sum(v)"), "float32: 16777218");
}

TEST(Lists, HaveWidths) {
  EXPECT_EQ(text("var(pt)"), "float32: 25 nan 0");
  EXPECT_EQ(text("std(pt)"), "float32: 5 nan 0");
  EXPECT_EQ(text("var(id)"), "float64: 144 nan 0");
  EXPECT_EQ(text("Var(pt)"), "float32: 50 0 0");
  EXPECT_EQ(text("StdDev(id)"), "float64: 16.97056274847714 0 0");
  EXPECT_EQ(text("std(triple)"), text("sqrt(2 / 3) + 0 * n"));
  EXPECT_EQ(text("dot(pt, eta)"), "float32: -30 0 15");
  EXPECT_EQ(text("Dot(hits, pt)"), "list<float64>: [10, 100] [] [0]");
}

TEST(Lists, HaveExtremes) {
  EXPECT_EQ(text("max(pt)"), "float32: 20 nan 30");
  EXPECT_EQ(text("min(id)"), "int64: -13 0 11");
  EXPECT_EQ(text("max(good)"), "bool: true false true");
  EXPECT_EQ(text("argmax(eta)"), "int64: 0 -1 0");
  EXPECT_EQ(text("argmin(eta)"), "int64: 1 -1 0");
  EXPECT_EQ(text("max(hits)"), "list<float64>: [1, 3] [] [nan]");
  EXPECT_EQ(text("ROOT::VecOps::Max(pt)"), text("np.max(pt)"));
}

TEST(Lists, ExtremesAreNanWhenAnItemIs) {
  const double nan = std::nan("");
  const Table with_nan({{"v", lists({3, 2}, doubles({1, nan, 3, nan, nan}))}});
  EXPECT_EQ(with_nan.text("max(v)"), "float64: nan nan");
  EXPECT_EQ(with_nan.text("min(v)"), "float64: nan nan");
  EXPECT_EQ(with_nan.text("argmax(v)"), "int64: 1 0");
  EXPECT_EQ(with_nan.text("max(nan_to_num(v, -1))"), "float64: 3 -1");
}

TEST(Lists, AreCountedAndTested) {
  EXPECT_EQ(text("count(pt)"), "int64: 2 0 1");
  EXPECT_EQ(text("len(pt) == size(id)"), "bool: true true true");
  EXPECT_EQ(text("len(vector)"), "int64: 2 2 2");
  EXPECT_EQ(text("len(hits)"), "list<int64>: [1, 2] [] [0]");
  EXPECT_EQ(text("any(pt > 15)"), "bool: true false true");
  EXPECT_EQ(text("all(pt > 15)"), "bool: false true true");
  EXPECT_EQ(text("any(eta)"), "bool: true false true");
  EXPECT_EQ(text("sum(pt > 5)"), "int64: 2 0 1");
}

TEST(Lists, HaveItems) {
  EXPECT_EQ(text("pt[0]"), "float32: 10 nan 30");
  EXPECT_EQ(text("pt[-1]"), "float32: 20 nan 30");
  EXPECT_EQ(text("pt[1]"), "float32: 20 nan nan");
  EXPECT_EQ(text("pt[-2]"), "float32: 10 nan nan");
  EXPECT_EQ(text("pt[0, -999]"), "float32: 10 -999 30");
  EXPECT_EQ(text("pt[0, y]"), "float64: 10 4 30");
  EXPECT_EQ(text("id[0]"), "int64: 11 0 11");
  EXPECT_EQ(text("id[0, 0.5]"), "float64: 11 0.5 11");
  EXPECT_EQ(text("good[0]"), "bool: true false true");
  EXPECT_EQ(text("triple[-1]"), "int64: 3 6 9");
  EXPECT_EQ(text("pt[n]"), "float32: 20 nan nan");
  EXPECT_EQ(text("pt[argmax(abs(eta))]"), "float32: 20 nan 30");
  EXPECT_EQ(text("(pt * eta)[0] + 1"), "float32: 11 nan 16");
  EXPECT_EQ(text("at(pt, 0)"), text("pt[0]"));
  EXPECT_EQ(text("pt[9223372036854775807]"), "float32: nan nan nan");
  EXPECT_EQ(text("pt[-9223372036854775807 - 1]"), "float32: nan nan nan");
}

TEST(Lists, HaveListsAsItems) {
  EXPECT_EQ(text("hits[1]"), "list<float64>: [2, 3] [] []");
  EXPECT_EQ(text("hits[-1]"), "list<float64>: [2, 3] [] []");
  EXPECT_EQ(text("hits[1][0]"), "float64: 2 nan nan");
  EXPECT_EQ(text("hits[0][0, 0]"), "float64: 1 0 0");
  EXPECT_EQ(text("matrix[1]"), "int64[2]: [3, 4] [7, 8] [11, 12]");
  EXPECT_EQ(text("matrix[1][0]"), "int64: 3 7 11");
  EXPECT_EQ(text("tracks[0]"), "int64[2]: [1, 2] [0, 0] [5, 6]");
}

TEST(Lists, OfDifferentSizesDoNotGoTogether) {
  const auto message = [](const std::string& formula) -> std::string {
    try {
      table().evaluate(formula);
    } catch (const SchemaError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message("2 * (pt + other)"),
            "in entry 1 of the range, lists of 0 and of 1 items don't go together, at position 9\n"
            "  2 * (pt + other)\n"
            "          ^");
  EXPECT_EQ(message("hits * late"),
            "in entry 0 of the range, lists of 2 and of 1 items don't go together, at position 6\n"
            "  hits * late\n"
            "       ^");
  EXPECT_EQ(message("other * hits"),
            "in entry 1 of the range, lists of 1 and of 0 items don't go together, at position 7\n"
            "  other * hits\n"
            "        ^");
  EXPECT_EQ(message("where(flag, vector, pt)"),
            "in entry 1 of the range, lists of 2 and of 0 items don't go together, at position 1\n"
            "  where(flag, vector, pt)\n"
            "  ^");
}

// More lists and items than are handled together, against a loop over each list.
class ManyLists : public testing::Test {
 protected:
  using List = std::vector<float>;

  ManyLists() {
    std::mt19937 random(5);
    std::vector<int64_t> sizes;
    std::vector<float> items;
    for (int list = 0; list < 5000; ++list) {
      lists_.emplace_back(random() % (list % 100 == 0 ? 300 : 7));
      for (float& item : lists_.back()) item = static_cast<float>(random() % 2001) - 1000;
      sizes.push_back(static_cast<int64_t>(lists_.back().size()));
      items.insert(items.end(), lists_.back().begin(), lists_.back().end());
    }
    table_.emplace(std::vector<std::pair<std::string, Column>>{{"x", lists(sizes, floats(items))}});
  }

  // Whether each entry of the formula's result is what `expected` makes of the list.
  template <class T, class Expected>
  void expect(const std::string& formula, Expected expected) const {
    const Column column = table_->evaluate(formula);
    const auto values = column.values.as<const T>();
    ASSERT_EQ(values.size(), lists_.size());
    for (size_t i = 0; i < lists_.size(); ++i) {
      const T wanted = expected(lists_[i]);
      ASSERT_TRUE(values[i] == wanted || (wanted != wanted && values[i] != values[i]))
          << formula << " of entry " << i << ": " << +values[i] << " instead of " << +wanted;
    }
  }

  static List chosen(const List& list, bool (*wanted)(float)) {
    List result;
    std::ranges::copy_if(list, std::back_inserter(result), wanted);
    return result;
  }
  static float item(const List& list, int64_t index) {
    const auto size = static_cast<int64_t>(list.size());
    if (index < 0) index += size;
    return index >= 0 && index < size ? list[static_cast<size_t>(index)] : NAN;
  }
  static float sum(const List& list) { return std::accumulate(list.begin(), list.end(), 0.0F); }

  std::vector<List> lists_;
  std::optional<Table> table_;
};

TEST_F(ManyLists, Reductions) {
  expect<float>("sum(x)", sum);
  expect<float>("min(x)", [](const List& list) { return list.empty() ? NAN : std::ranges::min(list); });
  expect<float>("max(x)", [](const List& list) { return list.empty() ? NAN : std::ranges::max(list); });
  expect<int64_t>("argmax(x)", [](const List& list) {
    return list.empty() ? int64_t{-1} : std::ranges::max_element(list) - list.begin();
  });
  expect<int64_t>("sum(x > 0)", [](const List& list) {
    return std::ranges::count_if(list, [](float y) { return y > 0; });
  });
  expect<uint8_t>("any(x > 990)", [](const List& list) {
    return static_cast<uint8_t>(std::ranges::any_of(list, [](float y) { return y > 990; }));
  });
}

TEST_F(ManyLists, Items) {
  for (const int64_t index : {0, 1, 5, 200, -1, -3, -250}) {
    expect<float>(concat("x[", index, "]"), [index](const List& list) { return item(list, index); });
  }
}

TEST_F(ManyLists, ItemsByConditions) {
  constexpr auto kPositive = [](float y) { return y > 0; };
  constexpr auto kRare = [](float y) { return y > 998; };
  expect<float>("sum(x[x > 0])", [&](const List& list) { return sum(chosen(list, kPositive)); });
  expect<float>("x[x > 998][-1]", [&](const List& list) { return item(chosen(list, kRare), -1); });
  expect<int64_t>("count(x[x > 2000])", [](const List&) { return int64_t{0}; });
  expect<float>("sum(x[x > -2000])", sum);
}

}  // namespace
}  // namespace sapwood
