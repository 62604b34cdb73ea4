#include "sapwood/bundle/json_columns.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cmath>

#include "sapwood/base/error.h"
#include "sapwood/column/parse_type.h"
#include "sapwood/column/test_columns.h"

namespace sapwood {
namespace {

Column read(const std::string& type, const std::string& json) {
  simdjson::dom::parser parser;
  return column_from_json("c", parse_type(type), parser.parse(json), heap_pool());
}

std::string refusal(const std::string& type, const std::string& json) {
  try {
    read(type, json);
  } catch (const SchemaError& error) {
    return error.what();
  }
  return "no error";
}

TEST(JsonColumns, ReadsNumbers) {
  EXPECT_TRUE(identical(read("int32", "[1, -2, 2147483647]"), numbers({1, -2, 2147483647})));
  EXPECT_TRUE(identical(read("bool", "[true, false]"), bools({1, 0})));
  EXPECT_EQ(read("uint64", "[18446744073709551615]").values.as<uint64_t>()[0], UINT64_MAX);
  EXPECT_EQ(read("int64", "[-9223372036854775808]").values.as<int64_t>()[0], INT64_MIN);
  EXPECT_EQ(read("float32", "[]").length, 0);
}

TEST(JsonColumns, ReadsFloatingNumbersOfAllKinds) {
  const Column column = read("float32", R"([1, 0.1, "NaN", "Infinity", "-Infinity", 18446744073709551615])");
  const auto values = column.values.as<const float>();
  EXPECT_EQ(values[0], 1.0f);
  EXPECT_EQ(values[1], 0.1f);
  EXPECT_TRUE(std::isnan(values[2]));
  EXPECT_EQ(values[3], INFINITY);
  EXPECT_EQ(values[4], -INFINITY);
  EXPECT_EQ(values[5], 18446744073709551615.0f);
}

TEST(JsonColumns, ReadsListsTextsAndRecords) {
  EXPECT_TRUE(identical(read("list<int32>", "[[1, 2], [], [3]]"), numbers_in_lists({{1, 2}, {}, {3}})));
  EXPECT_TRUE(identical(read("list<list<int32>>", "[[[1], [2, 3]], [], [[4]]]"),
                        lists({2, 0, 1}, numbers_in_lists({{1}, {2, 3}, {4}}))));
  EXPECT_TRUE(identical(read("int32[2][3]", "[[[1, 2, 3], [4, 5, 6]]]"),
                        fixed_lists(2, fixed_lists(3, numbers({1, 2, 3, 4, 5, 6})))));
  EXPECT_TRUE(identical(read("string", R"(["a", "", "\u00e9"])"), strings({"a", "", "\xc3\xa9"})));
  EXPECT_TRUE(identical(read("list<struct<flag: bool, n: int32>>",
                             R"([[{"flag": true, "n": 4}, {"n": 5, "flag": false}], []])"),
                        lists({2, 0}, records({"flag", "n"}, {bools({1, 0}), numbers({4, 5})}))));
}

TEST(JsonColumns, RefusesWhatIsOfAnotherTypeAndSaysWhere) {
  EXPECT_EQ(refusal("int32", "3"), "a list of int32 is wanted, not a number [column c]");
  EXPECT_EQ(refusal("int32", "[1, 2, true]"), "int32 is wanted, not a bool [column c, entries 2..3]");
  EXPECT_NE(refusal("int32", "[1.5]").find("1.5 is not a int32"), std::string::npos)
      << refusal("int32", "[1.5]");
  for (const auto& [type, json] :
       std::vector<std::pair<std::string, std::string>>{{"int32", "[2147483648]"},
                                                        {"uint8", "[-1]"},
                                                        {"uint8", "[256]"},
                                                        {"int64", "[9223372036854775808]"},
                                                        {"bool", "[1]"},
                                                        {"float32", "[1e39]"},
                                                        {"float64", "[\"nan\"]"},
                                                        {"float64", "[null]"},
                                                        {"list<int32>", "[1]"},
                                                        {"list<int32>", "[[1, [2]]]"},
                                                        {"int32[2]", "[[1, 2], [1]]"},
                                                        {"int32[2]", "[[1, 2, 3]]"},
                                                        {"string", "[1]"},
                                                        {"struct<n: int32>", "[{}]"},
                                                        {"struct<n: int32>", "[{\"n\": 1, \"m\": 2}]"},
                                                        {"struct<n: int32>", "[[1]]"}}) {
    EXPECT_NE(refusal(type, json).find("column c"), std::string::npos) << type << " " << json;
  }
}

}  // namespace
}  // namespace sapwood
