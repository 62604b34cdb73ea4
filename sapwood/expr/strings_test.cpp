#include <gtest/gtest.h>

#include "sapwood/expr/test_table.h"

namespace sapwood {
namespace {

const Table& table() {
  static const Table kTable({
      {"channel", strings({"mumu", "", "ee", "mumu"})},
      {"other", strings({"mumu", "mumu", "", "mum"})},
      {"number", numbers({1, 2, 3, 4})},
      {"flags", lists({2, 0, 1, 1}, strings({"good", "", "good", "bad"}))},
      {"wanted", lists({2, 0, 1, 1}, strings({"good", "good", "", "bad"}))},
      {"longer", lists({2, 1, 1, 1}, strings({"good", "a", "b", "c", "d"}))},
      {"pair", fixed_lists(2, strings({"a", "b", "a", "a", "b", "b", "b", "a"}))},
  });
  return kTable;
}
std::string text(const std::string& formula) { return table().text(formula); }

TEST(Strings, EqualLiterals) {
  EXPECT_EQ(text("channel == \"mumu\""), "bool: true false false true");
  EXPECT_EQ(text("'mumu' == channel"), text("channel == \"mumu\""));
  EXPECT_EQ(text("channel != 'ee'"), "bool: true true false true");
  EXPECT_EQ(text("channel == ''"), "bool: false true false false");
  EXPECT_EQ(text("channel == 'it is \"ee\"'"), "bool: false false false false");
  EXPECT_EQ(text("equal(channel, 'ee') || not_equal(number, 1)"), "bool: false true true true");
}

TEST(Strings, EqualOneAnother) {
  EXPECT_EQ(text("channel == other"), "bool: true false false false");
  EXPECT_EQ(text("channel != other"), "bool: false true true true");
  EXPECT_EQ(text("'a' == 'a'"), "bool: true true true true");
  EXPECT_EQ(text("number > 0 && 'a' != 'a'"), "bool: false false false false");
}

TEST(Strings, AreComparedInLists) {
  EXPECT_EQ(text("flags == 'good'"), "list<bool>: [true, false] [] [true] [false]");
  EXPECT_EQ(text("flags != wanted"), "list<bool>: [false, true] [] [true] [false]");
  EXPECT_EQ(text("any(flags == 'bad') ? number : 0"), "int64: 0 0 0 4");
  EXPECT_EQ(text("pair == 'a'"), "bool[2]: [true, false] [true, true] [false, false] [false, true]");
  EXPECT_THROW(text("flags == longer"), SchemaError);
  EXPECT_THROW(text("flags == channel"), ConfigError);
}

}  // namespace
}  // namespace sapwood
