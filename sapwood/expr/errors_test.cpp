#include <gtest/gtest.h>

#include "sapwood/expr/test_table.h"

namespace sapwood {
namespace {

// The kind of error and its message, for a formula that is refused.
std::string refusal(const std::string& formula) {
  static const Table kTable = three_entries();
  try {
    const Expression expression(formula, kTable.schema());
  } catch (const Error& error) {
    return concat(error.kind(), ": ", error.what());
  }
  return "accepted";
}

TEST(Refusal, PointsAtThePlace) {
  EXPECT_EQ(refusal("1 + * 2"),
            "ConfigError: expected a value, not '*', at position 5\n"
            "  1 + * 2\n"
            "      ^");
  EXPECT_EQ(refusal("abs(x, y"),
            "ConfigError: expected ')' to close '(', not the end, at position 9\n"
            "  abs(x, y\n"
            "          ^");
  EXPECT_EQ(refusal("x y"),
            "ConfigError: expected an operator or the end, not 'y', at position 3\n"
            "  x y\n"
            "    ^");
  EXPECT_EQ(refusal("n ? m"),
            "ConfigError: expected ':' and what holds otherwise, not the end, at position 6\n"
            "  n ? m\n"
            "       ^");
  EXPECT_EQ(refusal("`n"),
            "ConfigError: a backquote without the one that closes it, at position 1\n"
            "  `n\n"
            "  ^");
  EXPECT_EQ(refusal(""), "ConfigError: an empty formula");
  EXPECT_EQ(refusal(" \t"), "ConfigError: an empty formula");
}

TEST(Refusal, OffersTheNearestNames) {
  EXPECT_EQ(refusal("log(Jet.pt)"),
            "SchemaError: no column 'Jet.pt' (nearest: jet.pt), at position 5\n"
            "  log(Jet.pt)\n"
            "      ^");
  EXPECT_EQ(refusal("1 + np.sqrrt(x)"),
            "SchemaError: no function 'np.sqrrt' (nearest: sqrt, Sqrt, sort), at position 5\n"
            "  1 + np.sqrrt(x)\n"
            "      ^");
  EXPECT_EQ(refusal("sqrt * x"),
            "SchemaError: no column 'sqrt' (nearest: short); the function of that name has its arguments in "
            "parentheses, at "
            "position 1\n"
            "  sqrt * x\n"
            "  ^");
  EXPECT_EQ(refusal("`pi`"),
            "SchemaError: no column 'pi' (nearest: pt), at position 1\n"
            "  `pi`\n"
            "  ^");
}

TEST(Refusal, SaysHowToChainComparisons) {
  EXPECT_EQ(refusal("1 < n < 3"),
            "ConfigError: comparisons don't chain; write 1 < n && n < 3, at position 7\n"
            "  1 < n < 3\n"
            "        ^");
  EXPECT_EQ(refusal("n == m + 1 < 2"),
            "ConfigError: comparisons don't chain; write n == m + 1 && m + 1 < 2, at position 3\n"
            "  n == m + 1 < 2\n"
            "    ^");
  EXPECT_EQ(refusal("(n < m) == flag"), "accepted");
}

TEST(Refusal, SaysHowToWriteOperators) {
  EXPECT_EQ(refusal("x and y"),
            "ConfigError: expected an operator or the end, not 'and' (write && for and), at position 3\n"
            "  x and y\n"
            "    ^");
  EXPECT_EQ(refusal("n = 3"),
            "ConfigError: expected an operator or the end, not '=' (equality is ==), at position 3\n"
            "  n = 3\n"
            "    ^");
}

TEST(Refusal, OfTypesThatDoNotFit) {
  EXPECT_EQ(refusal("n + (x & 1)"),
            "ConfigError: '&' takes bool or int64, not float32, at position 8\n"
            "  n + (x & 1)\n"
            "         ^");
  EXPECT_EQ(refusal("sum(x + 1)"),
            "ConfigError: 'sum' goes over a list, and x + 1 is a single value, at position 1\n"
            "  sum(x + 1)\n"
            "  ^");
  EXPECT_EQ(refusal("vector + triple"),
            "ConfigError: '+' can't combine lists of 2 items with lists of 3, at position 8\n"
            "  vector + triple\n"
            "         ^");
  EXPECT_EQ(refusal("min(x, y, n)"),
            "ConfigError: 'min' takes 1 or 2 arguments, not 3, at position 1\n"
            "  min(x, y, n)\n"
            "  ^");
  EXPECT_EQ(refusal("1 + label"),
            "ConfigError: label is string; strings are only compared, with == and !=, at position 5\n"
            "  1 + label\n"
            "      ^");
  EXPECT_EQ(refusal("x[0]"),
            "ConfigError: x is a single value and has no items, at position 2\n"
            "  x[0]\n"
            "   ^");
  EXPECT_EQ(refusal("pt[0, eta]"),
            "ConfigError: only where the items are single values can one stand in for an item that is not "
            "there, at position 7\n"
            "  pt[0, eta]\n"
            "        ^");
}

TEST(Refusal, OfStrings) {
  EXPECT_EQ(refusal("n == 1 && label == 'a"),
            "ConfigError: a quotation mark without the one that closes it, at position 20\n"
            "  n == 1 && label == 'a\n"
            "                     ^");
  EXPECT_EQ(refusal("n == 'a'"),
            "ConfigError: '==' can't compare int32 with string, at position 3\n"
            "  n == 'a'\n"
            "    ^");
  EXPECT_EQ(refusal("label < 'b'"),
            "ConfigError: label is string; strings are only compared, with == and !=, at position 1\n"
            "  label < 'b'\n"
            "  ^");
  EXPECT_EQ(refusal("sum('b')"),
            "ConfigError: 'b' is string; strings are only compared, with == and !=, at position 5\n"
            "  sum('b')\n"
            "      ^");
  EXPECT_EQ(refusal("\"b\""),
            "ConfigError: a string is no formula: strings are compared, with == and !=, at position 1\n"
            "  \"b\"\n"
            "  ^");
}

TEST(Refusal, OfIndicesThatDoNotFit) {
  EXPECT_EQ(
      refusal("pt[eta]"),
      "ConfigError: an index is an integer, or lists of integers or of bool, and this is list<float32>, at "
      "position 4\n"
      "  pt[eta]\n"
      "     ^");
  EXPECT_EQ(refusal("pt[flag]"),
            "ConfigError: an index is an integer, or lists of integers or of bool, and this is bool, at "
            "position 4\n"
            "  pt[flag]\n"
            "     ^");
  EXPECT_EQ(
      refusal("pt[hits > 0]"),
      "ConfigError: an index has no more lists around it than what it goes into, list<float32>, and this is "
      "list<list<bool>>, at position 9\n"
      "  pt[hits > 0]\n"
      "          ^");
  EXPECT_EQ(refusal("vector[triple > 1]"),
            "ConfigError: '[]' can't combine lists of 2 items with lists of 3, at position 7\n"
            "  vector[triple > 1]\n"
            "        ^");
  EXPECT_EQ(refusal("hits[id, 0]"),
            "ConfigError: only where the items are single values can one stand in for an item that is not "
            "there, at position 10\n"
            "  hits[id, 0]\n"
            "           ^");
  EXPECT_EQ(refusal("take(hits, 2, 0)"),
            "ConfigError: only where the items are single values can one stand in for an item that is not "
            "there, at position 15\n"
            "  take(hits, 2, 0)\n"
            "                ^");
  EXPECT_EQ(refusal("pad(x, 2, 0)"),
            "ConfigError: expected lists, and x is float32, at position 5\n"
            "  pad(x, 2, 0)\n"
            "      ^");
  EXPECT_EQ(refusal("Range(3)"),
            "ConfigError: 'Range' takes an integer of each entry, not a constant, at position 1\n"
            "  Range(3)\n"
            "  ^");
  EXPECT_EQ(refusal("intersect(pt, hits)"),
            "ConfigError: expected lists as deep as the others, and pt is list<float32>, at position 11\n"
            "  intersect(pt, hits)\n"
            "            ^");
  EXPECT_EQ(refusal("flatten(pt)"),
            "ConfigError: 'flatten' goes over lists of lists, and pt is list<float32>, at position 1\n"
            "  flatten(pt)\n"
            "  ^");
}

TEST(Refusal, OfSlicesThatDoNotFit) {
  EXPECT_EQ(refusal("1 + x[:2]"),
            "ConfigError: expected lists, and x is float32, at position 5\n"
            "  1 + x[:2]\n"
            "      ^");
  EXPECT_EQ(refusal("pt[x:]"),
            "ConfigError: expected one integer for each entry, and x is float32, at position 4\n"
            "  pt[x:]\n"
            "     ^");
  EXPECT_EQ(refusal("pt[::2]"),
            "ConfigError: a slice has no step; expected ']', not ':', at position 5\n"
            "  pt[::2]\n"
            "      ^");
  EXPECT_EQ(refusal("pt[1:2, 0]"),
            "ConfigError: expected ']' to close '[', not ',', at position 7\n"
            "  pt[1:2, 0]\n"
            "        ^");
}

TEST(Refusal, OfCombinationsThatDoNotFit) {
  EXPECT_EQ(refusal("1 + combinations(pt, 2, 2)"),
            "ConfigError: 'combinations' takes 2 to 4 items, and a member from 0 to one less, at position 5\n"
            "  1 + combinations(pt, 2, 2)\n"
            "      ^");
  EXPECT_EQ(refusal("combinations(pt, n, 0)"),
            "ConfigError: expected a constant integer, and n is int32, at position 18\n"
            "  combinations(pt, n, 0)\n"
            "                   ^");
  EXPECT_EQ(refusal("cartesian(pt, eta, 2)"),
            "ConfigError: the last argument of 'cartesian' is a number from 0 to 1, at position 20\n"
            "  cartesian(pt, eta, 2)\n"
            "                     ^");
  EXPECT_EQ(refusal("drop(pt, eta)"),
            "ConfigError: expected lists of integers, and eta is list<float32>, at position 10\n"
            "  drop(pt, eta)\n"
            "           ^");
  EXPECT_EQ(refusal("drop(pt, times)"),
            "ConfigError: expected lists around the indices' lists, and pt is list<float32>, at position 6\n"
            "  drop(pt, times)\n"
            "       ^");
  EXPECT_EQ(refusal("concatenate(pt, x)"),
            "ConfigError: 'concatenate' joins lists of one depth, and this is float32, at position 17\n"
            "  concatenate(pt, x)\n"
            "                  ^");
  EXPECT_EQ(refusal("concatenate(pt)"),
            "ConfigError: 'concatenate' takes 2 or more arguments, not 1, at position 1\n"
            "  concatenate(pt)\n"
            "  ^");
}

TEST(Refusal, OfDivisionByZero) {
  EXPECT_EQ(refusal("1 + x / 0"),
            "ConfigError: division by zero, at position 9\n"
            "  1 + x / 0\n"
            "          ^");
  EXPECT_EQ(refusal("n % (2 - 2) == 1"),
            "ConfigError: division by zero, at position 8\n"
            "  n % (2 - 2) == 1\n"
            "         ^");
  for (const char* formula : {"n / 0", "n / 0.0", "n // false", "pt // -0.", "1 / 0", "0 / 0", "fmod(n, 0)",
                              "np.divide(pt, 1 - 1)", "floor_divide(x, 0)", "mod(x, sin(0))"}) {
    EXPECT_NE(refusal(formula).find("division by zero"), std::string::npos) << formula;
  }
  for (const char* formula :
       {"0 / n", "n / (n - n)", "n / 1e-300", "x / nan", "boost(x, y, n, m, 0, 0, 0, 3)"}) {
    EXPECT_EQ(refusal(formula), "accepted") << formula;
  }
}

TEST(Refusal, OfItemsThatAreNeverThere) {
  EXPECT_EQ(refusal("n + triple[3]"),
            "ConfigError: the index 3 is out of range: triple has 3 items, at position 12\n"
            "  n + triple[3]\n"
            "             ^");
  EXPECT_EQ(refusal("matrix[1][-3]"),
            "ConfigError: the index -3 is out of range: matrix[1] has 2 items, at position 11\n"
            "  matrix[1][-3]\n"
            "            ^");
  EXPECT_EQ(refusal("at(vector[:1], 1)"),
            "ConfigError: the index 1 is out of range: vector[:1] has 1 item, at position 16\n"
            "  at(vector[:1], 1)\n"
            "                 ^");
  for (const char* formula : {"triple[2]", "triple[-3]", "triple[3, 0]", "triple[n]", "pt[3]", "tracks[2]"}) {
    EXPECT_EQ(refusal(formula), "accepted") << formula;
  }
}

TEST(Refusal, OfNumbersThatDoNotFit) {
  EXPECT_EQ(refusal("12abc"),
            "ConfigError: the number 12 is followed by a 'a', at position 3\n"
            "  12abc\n"
            "    ^");
  EXPECT_EQ(refusal("9223372036854775808"),
            "ConfigError: an integer that does not fit in 64 bits, at position 1\n"
            "  9223372036854775808\n"
            "  ^");
  EXPECT_EQ(refusal("1e999"),
            "ConfigError: a number outside the range of float64, at position 1\n"
            "  1e999\n"
            "  ^");
}

TEST(Refusal, CountsCharactersAndShowsWhatIsPrintable) {
  EXPECT_EQ(refusal("`größe` + n"),
            "SchemaError: no column 'größe', at position 1\n"
            "  `größe` + n\n"
            "  ^");
  EXPECT_EQ(
      refusal("n\n+ `µ` $"),
      "ConfigError: a character that means nothing here; odd names stand between backquotes, at position 9\n"
      "  n + `µ` $\n"
      "          ^");
  EXPECT_EQ(
      refusal("n + \xff\xc3$\x01"),
      "ConfigError: a character that means nothing here; odd names stand between backquotes, at position 5\n"
      "  n + ?"
      "?$ \n"
      "      ^");
}

TEST(Refusal, ShowsWhatIsAroundThePlaceInALongFormula) {
  std::string formula = "n";
  for (int i = 0; i < 50; ++i) formula += " + n";
  EXPECT_EQ(refusal(formula + " + z" + formula),
            "SchemaError: no column 'zn' (nearest: n), at position 205\n"
            "  ...n + n + n + n + n + n + n + n + n + n + n + n + n + n + n + zn + n + n + n + n + n + n + n "
            "+ n + n +...\n"
            "     " +
                std::string(60, ' ') + "^");
}

TEST(Refusal, OfWhatIsTooDeepOrTooLong) {
  const auto repeated = [](const std::string& part, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += part;
    return text;
  };
  EXPECT_EQ(refusal(repeated("(", 150) + "n" + repeated(")", 150)), "accepted");
  for (const char* part : {"(", "-", "abs(", "n ? ", "n ? n : ", "n ** ", "pt["}) {
    const std::string message = refusal(repeated(part, 1500) + "n");
    EXPECT_NE(message.find("nested more than 200 deep"), std::string::npos) << part << ": " << message;
  }
  EXPECT_EQ(refusal(repeated("n + ", 4000) + "n"), "accepted");
  EXPECT_EQ(refusal(repeated(" ", 20000)),
            "ConfigError: a formula of 20000 bytes; at most 16384 are accepted");
}

TEST(Refusal, NamesColumnsThatCannotBeRead) {
  ColumnInfo info;
  info.name = "odd";
  info.stored_type = "TObject";
  info.unsupported = "no streamer";
  try {
    const Expression expression("odd + 1", Schema({info}));
    FAIL();
  } catch (const UnsupportedError& error) {
    EXPECT_EQ(error.context().column, "odd");
  }
}

}  // namespace
}  // namespace sapwood
