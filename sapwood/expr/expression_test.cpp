#include "sapwood/expr/expression.h"

#include <gtest/gtest.h>

#include "sapwood/expr/test_table.h"

namespace sapwood {
namespace {

const Table& table() {
  static const Table kTable = three_entries();
  return kTable;
}
std::string text(const std::string& formula) { return table().text(formula); }

TEST(Expression, IsAColumnAsItIs) {
  EXPECT_EQ(text("n"), "int32: 1 -2 3");
  EXPECT_EQ(text(" (short) "), "int16: 1 2 3");
  EXPECT_EQ(text("jet.pt"), "float32: 7 8 9");
  EXPECT_EQ(text("`odd name!`"), "int32: 4 5 6");
  EXPECT_EQ(text("`n`"), "int32: 1 -2 3");
  EXPECT_EQ(text("vector"), "float32[2]: [1, 2] [3, 4] [5, 6]");
  EXPECT_TRUE(identical(table().evaluate("label"), strings({"a", "b", "c"})));
}

TEST(Expression, IsAConstantForEachEntry) {
  EXPECT_EQ(text("2"), "int64: 2 2 2");
  EXPECT_EQ(text("0x10"), "int64: 16 16 16");
  EXPECT_EQ(text("0xFFFFFFFFFFFFFFFF"), "int64: -1 -1 -1");
  EXPECT_EQ(text(".5e1"), "float64: 5 5 5");
  EXPECT_EQ(text("1."), "float64: 1 1 1");
  EXPECT_EQ(text("true && !false"), "bool: true true true");
  EXPECT_EQ(text("np.pi == pi"), "bool: true true true");
  EXPECT_EQ(text("where(x < np.inf, -inf, 0)"), "float64: -inf -inf -inf");
  EXPECT_EQ(text("pt[0, nan]"), "float32: 10 nan 30");
  EXPECT_EQ(text("2 * pi"), "float64: 6.283185307179586 6.283185307179586 6.283185307179586");
}

TEST(Expression, TellsItsColumnsInOrder) {
  const Expression expression("where(y > 0, `odd name!`, n) + n * jet.pt", table().schema());
  EXPECT_EQ(expression.columns(), (std::vector<std::string>{"y", "odd name!", "n", "jet.pt"}));
  EXPECT_EQ(expression.text(), "where(y > 0, `odd name!`, n) + n * jet.pt");
  EXPECT_TRUE(Expression("1", table().schema()).columns().empty());
}

TEST(Expression, ColumnsComeBeforeConstants) {
  const Table with_pi({{"pi", numbers({3})}});
  EXPECT_EQ(with_pi.text("pi + 0"), "int64: 3");
}

TEST(Expression, TakesDefinedColumnsForTheirFormulas) {
  const Table more = table()
                         .define("twice", "2 * pt")
                         .define("sums", "sum(twice) + n")
                         .define("name", "label")
                         .define("two", "2");
  EXPECT_EQ(more.text("twice"), "list<float32>: [20, 40] [] [60]");
  EXPECT_EQ(more.text("twice / 2 + x"), table().text("pt + x"));
  EXPECT_EQ(more.text("sums"), table().text("sum(2 * pt) + n"));
  EXPECT_EQ(more.text("two * x"), "float32: 3 -5 0");  // weak, as the constant that it stands for
  EXPECT_EQ(more.text("two"), "int64: 2 2 2");
  EXPECT_TRUE(identical(more.evaluate("name"), strings({"a", "b", "c"})));
  EXPECT_EQ(more.text("name == 'b'"), "bool: false true false");
  EXPECT_THROW(more.evaluate("name + 1"), ConfigError);
  const Expression expression("sums > two", more.schema());
  EXPECT_EQ(expression.columns(), (std::vector<std::string>{"pt", "n"}));
}

TEST(Expression, ErrorsInDefinitionsPointIntoThem) {
  const Table more = table().define("both", "1 + (pt + other)");
  try {
    more.evaluate("sum(both) > 0");
    FAIL();
  } catch (const SchemaError& error) {
    EXPECT_EQ(error.message(),
              "in entry 1 of the range, lists of 0 and of 1 items don't go together, at position 9\n"
              "  1 + (pt + other)\n"
              "          ^");
  }
}

TEST(Expression, BindsLikeCpp) {
  EXPECT_EQ(text("1 + 2 * 3 - 4"), "int64: 3 3 3");
  EXPECT_EQ(text("(1 + 2) * 3"), "int64: 9 9 9");
  EXPECT_EQ(text("10 - 4 - 3"), "int64: 3 3 3");
  EXPECT_EQ(text("16 / 4 / 2"), "float64: 2 2 2");
  EXPECT_EQ(text("7 % 4 * 2"), "int64: 6 6 6");
  EXPECT_EQ(text("1 | 2 ^ 3 & 1"), "int64: 3 3 3");
  EXPECT_EQ(text("1 + 1 == 2 & 3 > 2"), "bool: true true true");
  EXPECT_EQ(text("true || false && false"), "bool: true true true");
  EXPECT_EQ(text("n > 0 ? 1 : n < -1 ? 2 : 3"), "int64: 1 2 1");
  EXPECT_EQ(text("!flag == false"), "bool: true false true");
}

TEST(Expression, RaisesToPowersLikePython) {
  EXPECT_EQ(text("-2 ** 2"), "int64: -4 -4 -4");
  EXPECT_EQ(text("2 ** 3 ** 2"), "int64: 512 512 512");
  EXPECT_EQ(text("2 ** -1"), "float64: 0.5 0.5 0.5");
  EXPECT_EQ(text("n ** 2"), "int64: 1 4 9");
  EXPECT_EQ(text("n ** -m"), "int64: 1 0 1");
  EXPECT_EQ(text("n ** -2"), "float64: 1 0.25 0.1111111111111111");
  EXPECT_EQ(text("x ** 2"), "float32: 2.25 6.25 0");
  EXPECT_EQ(text("y ** 0.5"), "float64: 0.31622776601683794 2 nan");
  EXPECT_EQ(text("2 ** x"), "float32: 2.828427 0.17677669 1");
}

TEST(Expression, PromotesLikeNumPy) {
  EXPECT_EQ(text("n + 1"), "int64: 2 -1 4");
  EXPECT_EQ(text("n + 0.5"), "float64: 1.5 -1.5 3.5");
  EXPECT_EQ(text("x * 2"), "float32: 3 -5 0");
  EXPECT_EQ(text("x * 0.1"), "float32: 0.15 -0.25 0");
  EXPECT_EQ(text("x * (2 * pi)"), "float32: 9.424778 -15.707964 0");
  EXPECT_EQ(text("x + short"), "float32: 2.5 -0.5 3");
  EXPECT_EQ(text("x + flag"), "float32: 2.5 -2.5 1");
  EXPECT_EQ(text("x + n"), "float64: 2.5 -4.5 3");
  EXPECT_EQ(text("x + y"), "float64: 1.6 1.5 -1");
  EXPECT_EQ(text("flag + flag"), "int64: 2 0 2");
  EXPECT_EQ(text("short + short"), "int64: 2 4 6");
  EXPECT_EQ(text("n / m"), "float64: 0.5 -1 inf");
  EXPECT_EQ(text("sqrt(short)"), "float64: 1 1.4142135623730951 1.7320508075688772");
  EXPECT_EQ(text("sqrt(2) * x"), "float32: 2.1213202 -3.535534 0");
  EXPECT_EQ(text("x == 1.5"), "bool: true false false");
  EXPECT_EQ(text("y == 0.1"), "bool: true false false");
}

TEST(Expression, WrapsIntegersAround) {
  EXPECT_EQ(text("big + 0"), "int64: 1 -1 -9223372036854775808");
  EXPECT_EQ(text("-(-9223372036854775807 - 1)"), text("abs(-9223372036854775807 - 1)"));
  EXPECT_EQ(text("9223372036854775807 + n"),
            "int64: -9223372036854775808 9223372036854775805 -9223372036854775806");
  EXPECT_EQ(text("9223372036854775807 * m"), "int64: -2 -2 0");
}

TEST(Expression, DividesIntegersWithoutTraps) {
  EXPECT_EQ(text("7 % m"), "int64: 1 1 0");
  EXPECT_EQ(text("(-9223372036854775807 - 1) % (n - n - 1)"), "int64: 0 0 0");
  EXPECT_EQ(text("fmod(-9223372036854775807 - 1, m - m - 1)"), "int64: 0 0 0");
  EXPECT_EQ(text("fmod(n, n - n)"), "int64: 0 0 0");
  EXPECT_EQ(text("n // 2"), "int64: 0 -1 1");
  EXPECT_EQ(text("n // m"), "int64: 0 -1 0");
  EXPECT_EQ(text("7 - 7 // 2 * 2"), "int64: 1 1 1");
  EXPECT_EQ(text("x // 2"), "float32: 0 -2 0");
  EXPECT_EQ(text("n % 2"), "int64: 1 0 1");
  EXPECT_EQ(text("n % -3"), "int64: -2 -2 0");
  EXPECT_EQ(text("fmod(n, 3)"), "int64: 1 -2 0");
  EXPECT_EQ(text("x % 2"), "float32: 1.5 1.5 0");
  EXPECT_EQ(text("x % -2"), "float32: -0.5 -0.5 -0");
  EXPECT_EQ(text("x % (x - x)"), "float32: nan nan nan");
  EXPECT_EQ(text("fmod(x, 2)"), "float32: 1.5 -0.5 0");
}

TEST(Expression, DecidesWithConditions) {
  EXPECT_EQ(text("n && x"), "bool: true true false");
  EXPECT_EQ(text("n - 1 || x - x"), "bool: false true true");
  EXPECT_EQ(text("!x"), "bool: false false true");
  EXPECT_EQ(text("~flag"), "bool: false true false");
  EXPECT_EQ(text("~n"), "int64: -2 1 -4");
  EXPECT_EQ(text("flag & (x > 0)"), "bool: true false false");
  EXPECT_EQ(text("flag ^ true"), "bool: false true false");
  EXPECT_EQ(text("flag | 2"), "int64: 3 2 3");
  EXPECT_EQ(text("flag ? x : 0"), "float32: 1.5 0 0");
  EXPECT_EQ(text("where(x, flag, true)"), "bool: true false true");
  EXPECT_EQ(text("nan_to_num(0 * log(-1)) ? n : m"), "int64: 2 2 0");
  EXPECT_EQ(text("log(-1) ? n : m"), "int64: 1 -2 3");
}

TEST(Expression, ReadsNoEntries) {
  const Table empty(
      {{"n", numbers({})}, {"list", lists({}, floats({}))}, {"fixed", fixed_lists(0, numbers({}))}});
  EXPECT_EQ(empty.text("n * 2 + 1"), "int64:");
  EXPECT_EQ(empty.text("1.5"), "float64:");
  EXPECT_EQ(empty.text("list * n"), "list<float64>:");
  EXPECT_EQ(empty.text("sum(list) + list[0]"), "float32:");
  EXPECT_EQ(empty.text("fixed + n"), "int64[0]:");
  EXPECT_EQ(empty.text("max(fixed)"), "int64:");
}

TEST(Expression, RefusesColumnsOfAnotherType) {
  const Expression expression("n + 1", table().schema());
  const Column wrong = floats({1});
  const Column right = numbers({1});
  EXPECT_THROW(expression.evaluate({&wrong, 1}, 1, heap_pool()), SchemaError);
  EXPECT_THROW(expression.evaluate({&right, 1}, 2, heap_pool()), SchemaError);
  EXPECT_THROW(expression.evaluate({}, 1, heap_pool()), SchemaError);
}

class CountingPool final : public MemoryPool {
 public:
  std::byte* allocate(size_t size) override {
    ++allocations;
    return heap_pool()->allocate(size);
  }
  void release(std::byte* data, size_t size) noexcept override { heap_pool()->release(data, size); }
  int allocations = 0;
};

int allocations(const std::string& formula) {
  const auto pool = std::make_shared<CountingPool>();
  table().evaluate(formula, pool);
  return pool->allocations;
}

TEST(Expression, AllocatesOnceForEachStep) {
  EXPECT_EQ(allocations("n"), 0);
  EXPECT_EQ(allocations("x * 2"), 1);
  EXPECT_EQ(allocations("sqrt(x) * x"), 2);
  EXPECT_EQ(allocations("pt * eta"), 1);
  EXPECT_EQ(allocations("pt * x"), 2);
}

TEST(Expression, EvaluatesWhatIsSharedOnce) {
  EXPECT_EQ(allocations("sqrt(x) * sqrt(x)"), 2);
  EXPECT_EQ(allocations("pt * x + pt * x"), 3);
  EXPECT_EQ(allocations("(pt - mean(pt)) / (pt - mean(pt))"), allocations("pt - mean(pt)") + 1);
}

TEST(Expression, FoldsConstants) { EXPECT_EQ(allocations("x * (2 * pi / 360 + sqrt(2))"), 1); }

}  // namespace
}  // namespace sapwood
