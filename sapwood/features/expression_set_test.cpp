#include "sapwood/features/expression_set.h"

#include <gtest/gtest.h>

#include "sapwood/base/error.h"
#include "sapwood/expr/test_table.h"

namespace sapwood {
namespace {

TEST(ExpressionSet, SharesWhatExpressionsHaveInCommon) {
  const Table table = three_entries().define("r", "sqrt(x * x + y * y)");
  ExpressionSet expressions;
  EXPECT_EQ(expressions.add("r", table.schema()), 0U);
  EXPECT_EQ(expressions.add("r / 2", table.schema()), 1U);
  EXPECT_EQ(expressions.add("label", table.schema()), 2U);
  EXPECT_EQ(expressions.add("odd name!", table.schema()), 3U);
  EXPECT_EQ(expressions.add("r", table.schema()), 0U);
  EXPECT_EQ(expressions.add("sqrt(x * x + y * y) > 1", table.schema()), 4U);
  EXPECT_EQ(expressions.columns(), (std::vector<std::string>{"x", "y", "label", "odd name!"}));
  EXPECT_TRUE(expressions.is_formula(0));
  EXPECT_FALSE(expressions.is_formula(2));
  const std::vector<Column> values = expressions.evaluate(
      {floats({3, 0, 1}), doubles({4, 0.5, 0}), strings({"a", "b", "c"}), numbers({4, 5, 6})}, heap_pool());
  EXPECT_EQ(text_of(values[0]), "float64: 5 0.5 1");
  EXPECT_EQ(text_of(values[1]), "float64: 2.5 0.25 0.5");
  EXPECT_TRUE(identical(values[2], strings({"a", "b", "c"})));
  EXPECT_EQ(text_of(values[3]), "int32: 4 5 6");
  EXPECT_EQ(text_of(values[4]), "bool: true false false");
}

TEST(ExpressionSet, CountsTheBytesThatAreHeldAtATime) {
  const Table table = three_entries();
  ExpressionSet one;
  one.add("2 * pt", table.schema());  // float32
  const std::vector<double> items{5};
  EXPECT_EQ(one.values_per_entry(0, items), 5);
  EXPECT_EQ(one.formula_bytes(items), 5 * 4 + 8);
  ExpressionSet two;
  two.add("2 * pt", table.schema());
  two.add("sum(2 * pt)", table.schema());
  EXPECT_EQ(two.formula_bytes(items), 5 * 4 + 8 + 4);
  ExpressionSet chain;
  chain.add("sum(3 * (2 * pt))", table.schema());
  EXPECT_EQ(chain.formula_bytes(items), 2 * (5 * 4 + 8));
  ExpressionSet plain;
  plain.add("pt", table.schema());
  EXPECT_EQ(plain.formula_bytes(items), 0);
}

TEST(ExpressionSet, ErrorsTellPlacesInTheRange) {
  const Table table = three_entries();
  ExpressionSet expressions;
  expressions.add("pt + other", table.schema());
  const std::vector<uint8_t> kept{0, 1, 0, 0, 1};
  try {
    expressions.evaluate({lists({1, 0}, floats({1})), lists({1, 1}, floats({1, 2}))}, heap_pool(), kept);
    FAIL();
  } catch (const SchemaError& error) {
    EXPECT_NE(error.message().find("in entry 4 of the range"), std::string::npos) << error.message();
  }
}

TEST(ExpressionSet, FeaturesWithFunctionsOfUsersStay) {
  FeatureSpec spec;
  spec.groups = {
      {.name = "a", .variables = {"x", "odd name!", "std::sqrt(x) + TMath::Pi()", "x[0] ? 1 : y"}}};
  spec.definitions = {{"r", "np.hypot(x, y)"}};
  EXPECT_NO_THROW(check_portable(spec));
  spec.definitions.push_back({"s", "sqrt(mine(x) + 1)"});
  try {
    check_portable(spec);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(error.message().find("'mine' is none of the functions"), std::string::npos) << error.message();
    EXPECT_EQ(error.context().column, "sqrt(mine(x) + 1)");
  }
  spec.definitions.pop_back();
  spec.groups[0].variables.emplace_back("yours()");
  EXPECT_THROW(check_portable(spec), ConfigError);
}

}  // namespace
}  // namespace sapwood
