#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>

#include "sapwood/expr/test_table.h"

namespace sapwood {
namespace {

class TestFunction : public UserFunction {
 public:
  using Work = std::function<Column(std::span<const Column>, int64_t)>;
  TestFunction(std::string name, bool is_elementwise, Type result, Work work)
      : name_(std::move(name)),
        is_elementwise_(is_elementwise),
        result_(std::move(result)),
        work_(std::move(work)) {}

  const std::string& name() const override { return name_; }
  bool is_elementwise() const override { return is_elementwise_; }
  Type result_type(std::span<const Type> arguments) const override {
    if (arguments.size() > 2) throw ConfigError("takes two arguments at most");
    return result_;
  }
  Column call(std::span<const Column> arguments, int64_t length,
              const std::shared_ptr<MemoryPool>& /*pool*/) const override {
    ++calls;
    return work_(arguments, length);
  }

  mutable int calls = 0;

 private:
  std::string name_;
  bool is_elementwise_;
  Type result_;
  Work work_;
};

// a + 10 b of float32 and int64.
Column weighted(std::span<const Column> arguments, int64_t length) {
  std::vector<double> sums;
  for (size_t i = 0; i < static_cast<size_t>(length); ++i) {
    sums.push_back(arguments[0].values.as<const float>()[i] +
                   10.0 * static_cast<double>(arguments[1].values.as<const int64_t>()[i]));
  }
  return doubles(sums);
}

Column sizes(std::span<const Column> arguments, int64_t length) {
  std::vector<int64_t> counts;
  for (size_t i = 0; i < static_cast<size_t>(length); ++i)
    counts.push_back(arguments[0].offset_span()[i + 1] - arguments[0].offset_span()[i]);
  return column_of_values(TypeKind::kInt64, counts);
}

std::shared_ptr<const TestFunction> weighted_function() {
  return std::make_shared<TestFunction>("weighted", true, TypeKind::kFloat64, &weighted);
}

std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return concat(error.kind(), ": ", error.what());
  }
  return "accepted";
}

TEST(UserFunction, ElementwiseCombinesLists) {
  const Table table = three_entries().with(weighted_function());
  EXPECT_EQ(table.text("weighted(x, n)"), "float64: 11.5 -22.5 30");
  EXPECT_EQ(table.text("weighted(pt, n)"), "list<float64>: [20, 30] [] [60]");
  EXPECT_EQ(table.text("weighted(pt, 2) - 20"), "list<float64>: [10, 20] [] [30]");
  EXPECT_EQ(table.text("sum(weighted(pt, id))"), "float64: 10 0 140");
  EXPECT_EQ(table.text("weighted(vector, n)"), "float64[2]: [11, 12] [-17, -16] [35, 36]");
}

TEST(UserFunction, TakesWholeLists) {
  const Table table =
      three_entries().with(std::make_shared<TestFunction>("sizes", false, TypeKind::kInt64, &sizes));
  EXPECT_EQ(table.text("sizes(pt) + 1"), "int64: 3 1 2");
  EXPECT_EQ(table.text("sizes(hits)"), "int64: 2 0 1");
}

TEST(UserFunction, EqualCallsAreOne) {
  const auto function = weighted_function();
  const Table table = three_entries().with(function);
  EXPECT_EQ(table.text("weighted(x, n) + weighted(x, n)"), "float64: 23 -45 60");
  EXPECT_EQ(function->calls, 1);
}

TEST(UserFunction, IsKnownInDefinitions) {
  const Table table = three_entries().with(weighted_function());
  const Schema schema = with_definition(table.schema(), "w", "weighted(pt, n)");
  EXPECT_EQ(Expression("w / 2", schema).type().to_string(), "list<float64>");
}

TEST(UserFunction, ErrorsPointAtTheCall) {
  const Table table = three_entries().with(weighted_function());
  const auto of = [&](const std::string& formula) { return refusal([&] { table.evaluate(formula); }); };
  EXPECT_EQ(of("1 + wieghted(x, n)"),
            "SchemaError: no function 'wieghted' (nearest: weighted), at position 5\n"
            "  1 + wieghted(x, n)\n"
            "      ^");
  EXPECT_EQ(of("weighted(x, n, m)"),
            "ConfigError: takes two arguments at most, at position 1\n"
            "  weighted(x, n, m)\n"
            "  ^");
  EXPECT_EQ(of("weighted(1, 2)"),
            "ConfigError: 'weighted' is called with no column, at position 1\n"
            "  weighted(1, 2)\n"
            "  ^");
  EXPECT_EQ(
      of("weighted(other, id)"),
      "SchemaError: in entry 1 of the range, lists of 1 and of 0 items don't go together, at position 1\n"
      "  weighted(other, id)\n"
      "  ^");
}

TEST(UserFunction, ResultsAreChecked) {
  const auto with_work = [](const TestFunction::Work& work) {
    const Table table =
        three_entries().with(std::make_shared<TestFunction>("f", true, TypeKind::kFloat64, work));
    return refusal([&] { table.evaluate("2 * f(x)"); });
  };
  EXPECT_EQ(with_work([](auto, int64_t) { return doubles({1}); }),
            "SchemaError: 'f' gave 1 of float64 instead of 3 of float64, at position 5\n"
            "  2 * f(x)\n"
            "      ^");
  EXPECT_EQ(with_work([](auto, int64_t) {
              return floats({1, 2, 3});
            }),
            "SchemaError: 'f' gave 3 of float32 instead of 3 of float64, at position 5\n"
            "  2 * f(x)\n"
            "      ^");
  EXPECT_EQ(with_work([](auto, int64_t) -> Column { throw std::runtime_error("no luck"); }),
            "ConfigError: 'f' failed: no luck, at position 5\n"
            "  2 * f(x)\n"
            "      ^");
}

TEST(UserFunction, NamesAreUnique) {
  const auto with_name = [](const std::string& name) {
    const auto function =
        std::make_shared<TestFunction>(name, true, TypeKind::kFloat64, TestFunction::Work{});
    return refusal([&] { with_function(with_function({}, weighted_function()), function); });
  };
  EXPECT_EQ(with_name("sqrt"), "ConfigError: there is a function 'sqrt' already");
  EXPECT_EQ(with_name("weighted"), "ConfigError: there is a function 'weighted' already");
  EXPECT_EQ(with_name("two words"), "ConfigError: 'two words' can't be the name of a function");
  EXPECT_EQ(with_name("other"), "accepted");
}

}  // namespace
}  // namespace sapwood
