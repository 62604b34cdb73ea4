#include <gtest/gtest.h>

#include "sapwood/expr/test_table.h"

namespace sapwood {
namespace {

const Table& table() {
  static const Table kTable = three_entries();
  return kTable;
}
std::string text(const std::string& formula) { return table().text(formula); }

std::string mismatch(const std::string& formula) {
  try {
    table().evaluate(formula);
  } catch (const SchemaError& error) {
    return error.what();
  }
  return "";
}

TEST(Items, AreChosenByConditions) {
  EXPECT_EQ(text("pt[good]"), "list<float32>: [10] [] [30]");
  EXPECT_EQ(text("pt[abs(eta) > 0.75]"), "list<float32>: [10, 20] [] []");
  EXPECT_EQ(text("id[pt > 100]"), "list<int64>: [] [] []");
  EXPECT_EQ(text("sum(pt[good]) / sum(pt)"), "float32: 0.33333334 nan 1");
  EXPECT_EQ(text("pt[good][0]"), "float32: 10 nan 30");
  EXPECT_EQ(text("at(pt, good)"), text("pt[good]"));
  EXPECT_EQ(text("pt[pt > x && flag]"), "list<float32>: [10, 20] [] [30]");
}

TEST(Items, AreChosenWithWhatIsInThem) {
  EXPECT_EQ(text("hits[good]"), "list<list<float64>>: [[1]] [] [[]]");
  EXPECT_EQ(text("hits[pt > 15]"), "list<list<float64>>: [[2, 3]] [] [[]]");
  EXPECT_EQ(text("hits[hits > 1.5]"), "list<list<float64>>: [[], [2, 3]] [] [[]]");
  EXPECT_EQ(text("hits[any(hits > 2)]"), "list<list<float64>>: [[2, 3]] [] []");
  EXPECT_EQ(text("tracks[good]"), "list<int64[2]>: [[1, 2]] [] [[5, 6]]");
  EXPECT_EQ(text("tracks[tracks % 2 == 0]"), "list<list<int64>>: [[2], [4]] [] [[6]]");
}

TEST(Items, OfListsOfFixedSizeAreChosen) {
  EXPECT_EQ(text("vector[vector > 2]"), "list<float32>: [] [3, 4] [5, 6]");
  EXPECT_EQ(text("vector[pairs > 2]"), text("pairs[vector > 2]"));
  EXPECT_EQ(text("triple[triple % 2 == 1]"), "list<int64>: [1, 3] [5] [7, 9]");
}

TEST(Items, AreChosenByConditionsOnAsManyItems) {
  EXPECT_EQ(mismatch("pt[other > 1]"),
            "in entry 1 of the range, lists of 0 and of 1 items don't go together, at position 3\n"
            "  pt[other > 1]\n"
            "    ^");
  EXPECT_EQ(mismatch("hits[late > 5]"),
            "in entry 0 of the range, lists of 2 and of 1 items don't go together, at position 5\n"
            "  hits[late > 5]\n"
            "      ^");
}

TEST(Items, AreSlices) {
  EXPECT_EQ(text("other[:1]"), "list<float32>: [1] [3] [4]");
  EXPECT_EQ(text("other[1:]"), "list<float32>: [2] [] []");
  EXPECT_EQ(text("other[-1:]"), "list<float32>: [2] [3] [4]");
  EXPECT_EQ(text("other[:-1]"), "list<float32>: [1] [] []");
  EXPECT_EQ(text("other[:]"), text("other"));
  EXPECT_EQ(text("other[2:1]"), "list<float32>: [] [] []");
  EXPECT_EQ(text("hits[1:]"), "list<list<float64>>: [[2, 3]] [] []");
  EXPECT_EQ(text("other[0x7fffffffffffffff:]"), "list<float32>: [] [] []");
  EXPECT_EQ(text("other[0x8000000000000000:0x7fffffffffffffff]"), text("other"));
}

TEST(Items, AreSlicesWithBoundsOfTheEntry) {
  EXPECT_EQ(text("other[0:n]"), "list<float32>: [1] [] [4]");
  EXPECT_EQ(text("other[n:]"), "list<float32>: [2] [3] []");
  EXPECT_EQ(text("other[count(pt) - 1 : count(pt)]"), "list<float32>: [2] [] [4]");
  EXPECT_EQ(text("other[flag ? 0 : 1:]"), "list<float32>: [1, 2] [] [4]");
  EXPECT_EQ(text("other[:flag ? 1 : 0]"), "list<float32>: [1] [] [4]");
  EXPECT_EQ(text("other[flag ? 0 : -1]"), "float32: 1 3 4");
}

TEST(Items, OfSlicesOfFixedSizeAreKnown) {
  EXPECT_EQ(text("triple[:2]"), "int64[2]: [1, 2] [4, 5] [7, 8]");
  EXPECT_EQ(text("triple[-1:]"), "int64[1]: [3] [6] [9]");
  EXPECT_EQ(text("triple[5:]"), "list<int64>: [] [] []");
  EXPECT_EQ(text("triple[:2] + vector"), "float64[2]: [2, 4] [7, 9] [12, 14]");
  EXPECT_EQ(text("triple[m:]"), "list<int64>: [3] [6] [7, 8, 9]");
  EXPECT_EQ(text("matrix[:1][0]"), text("matrix[0]"));
  EXPECT_EQ(text("tracks[:1]"), "list<int64[2]>: [[1, 2]] [] [[5, 6]]");
}

TEST(Items, AreTakenAtIndices) {
  EXPECT_EQ(text("pt[argsort(eta)]"), "list<float32>: [20, 10] [] [30]");
  EXPECT_EQ(text("pt[local_index(other)]"), "list<float32>: [10, 20] [nan] [30]");
  EXPECT_EQ(text("pt[local_index(other) - 2]"), "list<float32>: [10, 20] [nan] [nan]");
  EXPECT_EQ(text("id[local_index(other)]"), "list<int64>: [11, -13] [0] [11]");
  EXPECT_EQ(text("good[local_index(other)]"), "list<bool>: [true, false] [false] [true]");
  EXPECT_EQ(text("pt[id - 11]"), "list<float32>: [10, nan] [] [30]");
  EXPECT_EQ(text("pt[0 * local_index(pairs)]"), "list<float32>: [10, 10] [nan, nan] [30, 30]");
  EXPECT_EQ(text("triple[triple - triple]"), "int64[3]: [1, 1, 1] [4, 4, 4] [7, 7, 7]");
  EXPECT_EQ(text("other[triple - 1]"), "float32[3]: [1, 2, nan] [nan, nan, nan] [nan, nan, nan]");
}

TEST(Items, ThatAreNotThereHaveAValue) {
  EXPECT_EQ(text("pt[local_index(other), -1]"), "list<float32>: [10, 20] [-1] [30]");
  EXPECT_EQ(text("pt[local_index(other), y]"), "list<float64>: [10, 20] [4] [30]");
  EXPECT_EQ(text("pt[local_index(other), n]"), "list<float64>: [10, 20] [-2] [30]");
  EXPECT_EQ(text("pt[local_index(other), 2 * other]"), "list<float32>: [10, 20] [6] [30]");
  EXPECT_EQ(text("take(pt, local_index(other), -1)"), text("pt[local_index(other), -1]"));
  EXPECT_NE(mismatch("pt[local_index(other), eta]").find("lists of 1 and of 0 items don't go together"),
            std::string::npos);
}

TEST(Items, AreTakenAtIndicesWithWhatIsInThem) {
  EXPECT_EQ(text("hits[argsort(eta)]"), "list<list<float64>>: [[2, 3], [1]] [] [[]]");
  EXPECT_EQ(text("hits[local_index(other)]"), "list<list<float64>>: [[1], [2, 3]] [[]] [[]]");
  EXPECT_EQ(text("hits[-1 - local_index(hits)]"), "list<list<float64>>: [[1], [3, 2]] [] [[]]");
  EXPECT_EQ(text("tracks[local_index(other)]"), "list<int64[2]>: [[1, 2], [3, 4]] [[0, 0]] [[5, 6]]");
}

TEST(Items, AreTakenAndDropped) {
  EXPECT_EQ(text("take(other, 1)"), "list<float32>: [1] [3] [4]");
  EXPECT_EQ(text("take(other, -1)"), "list<float32>: [2] [3] [4]");
  EXPECT_EQ(text("take(other, 5)"), text("other"));
  EXPECT_EQ(text("take(other, -5)"), text("other"));
  EXPECT_EQ(text("take(other, n)"), "list<float32>: [1] [3] [4]");
  EXPECT_EQ(text("Take(triple, -2)"), "int64[2]: [2, 3] [5, 6] [8, 9]");
  EXPECT_EQ(text("take(pt, argsort(eta))"), text("pt[argsort(eta)]"));
  EXPECT_EQ(text("drop(other, local_index(pt))"), "list<float32>: [] [3] []");
  EXPECT_EQ(text("drop(other, 0 * id - 1)"), "list<float32>: [1] [3] []");
  EXPECT_EQ(text("Drop(other, id)"), text("other"));
  EXPECT_EQ(text("drop(hits, local_index(pt[:1]))"), "list<list<float64>>: [[2, 3]] [] []");
  EXPECT_EQ(text("drop(hits, local_index(hits))"), "list<list<float64>>: [[], []] [] [[]]");
}

TEST(Items, AreJoined) {
  EXPECT_EQ(text("concatenate(pt, other)"), "list<float32>: [10, 20, 1, 2] [3] [30, 4]");
  EXPECT_EQ(text("concatenate(id, pt, id)"), "list<float64>: [11, -13, 10, 20, 11, -13] [] [11, 30, 11]");
  EXPECT_EQ(text("Concatenate(good, id)"), "list<int64>: [1, 0, 11, -13] [] [1, 11]");
  EXPECT_EQ(text("concatenate(hits, times)"), "list<list<float64>>: [[1], [2, 3], [5], [6, 7]] [] [[], []]");
}

TEST(Items, OfFixedSizeAreJoined) {
  EXPECT_EQ(text("concatenate(vector, triple)"),
            "float64[5]: [1, 2, 1, 2, 3] [3, 4, 4, 5, 6] [5, 6, 7, 8, 9]");
  EXPECT_EQ(text("concatenate(vector, pt)"), "list<float32>: [1, 2, 10, 20] [3, 4] [5, 6, 30]");
  EXPECT_EQ(text("concatenate(tracks, tracks)"),
            "list<int64[2]>: [[1, 2], [3, 4], [1, 2], [3, 4]] [] [[5, 6], [5, 6]]");
  EXPECT_EQ(text("concatenate(tracks, hits)"),
            "list<list<float64>>: [[1, 2], [3, 4], [1], [2, 3]] [] [[5, 6], []]");
}

TEST(Items, AreFilledUp) {
  EXPECT_EQ(text("pad(pt, 2, -1)"), "float32[2]: [10, 20] [-1, -1] [30, -1]");
  EXPECT_EQ(text("Take(pt, -2, -1)"), "float32[2]: [10, 20] [-1, -1] [-1, 30]");
  EXPECT_EQ(text("take(pt, 1, y)"), "float64[1]: [10] [4] [30]");
  EXPECT_EQ(text("pad(triple, 4, n)"), "int64[4]: [1, 2, 3, 1] [4, 5, 6, -2] [7, 8, 9, 3]");
  EXPECT_EQ(text("pad(other, n, 0)"), "list<float32>: [1] [0, 3] [4, 0, 0]");
  EXPECT_EQ(text("pad(other, 0, 0)"), "list<float32>: [] [] []");
  EXPECT_EQ(text("hits[argpad(hits, 1)]"), "list<float64>[1]: [[1]] [[]] [[]]");
  EXPECT_THROW(text("pad(pt, big, 0)"), SchemaError);
  EXPECT_THROW(text("pad(pt, -9223372036854775807 - 1, 0)"), ConfigError);
}

TEST(Items, AreCountedUpTo) {
  EXPECT_EQ(text("Range(n)"), "list<int64>: [0] [] [0, 1, 2]");
  EXPECT_EQ(text("sum(Range(m + 1))"), "int64: 3 3 0");
  EXPECT_THROW(text("Range(n + 0x100000000)"), SchemaError);
}

TEST(Items, ThatListsShare) {
  EXPECT_EQ(text("intersect(other, pt)"), "list<float32>: [] [] []");
  EXPECT_EQ(text("Intersect(concatenate(other, id, other), 1.0 * other)"),
            "list<float64>: [1, 2, 1, 2] [3, 3] [4, 4]");
  EXPECT_EQ(text("intersect(id, id[:1])"), "list<int64>: [11] [] [11]");
  EXPECT_EQ(text("argintersect(other, 0 * other + 2)"), "list<int64>: [1] [] []");
  EXPECT_EQ(text("intersect(log(-pt), log(-pt))"), "list<float32>: [] [] []");
  EXPECT_EQ(text("intersect(hits, hits[hits > 1])"), "list<list<float64>>: [[], [2, 3]] [] [[]]");
  EXPECT_EQ(text("intersect(good, good)"), "list<bool>: [true, false] [] [true]");
}

TEST(Items, LoseALevelOfLists) {
  EXPECT_EQ(text("flatten(hits)"), "list<float64>: [1, 2, 3] [] []");
  EXPECT_EQ(text("flatten(tracks)"), "list<int64>: [1, 2, 3, 4] [] [5, 6]");
  EXPECT_EQ(text("flatten(matrix)"), "int64[4]: [1, 2, 3, 4] [5, 6, 7, 8] [9, 10, 11, 12]");
  EXPECT_EQ(text("ravel(hits)"), text("flatten(hits)"));
  EXPECT_EQ(text("sum(flatten(hits))"), text("sum(sum(hits))"));
  const Table deep({{"v", lists({2, 0}, lists({1, 1}, lists({2, 1}, floats({1, 2, 3}))))}});
  EXPECT_EQ(deep.text("flatten(v)"), "list<list<float32>>: [[1, 2], [3]] []");
  EXPECT_EQ(deep.text("ravel(v)"), "list<float32>: [1, 2, 3] []");
}

TEST(Items, OfNoEntries) {
  const Table empty({{"list", lists({}, floats({}))},
                     {"nested", lists({}, lists({}, floats({})))},
                     {"fixed", fixed_lists(2, numbers({}))}});
  EXPECT_EQ(empty.text("list[list > 0]"), "list<float32>:");
  EXPECT_EQ(empty.text("nested[:2]"), "list<list<float32>>:");
  EXPECT_EQ(empty.text("sort(list)"), "list<float32>:");
  EXPECT_EQ(empty.text("fixed[argsort(fixed)]"), "int64[2]:");
  EXPECT_EQ(empty.text("concatenate(nested, nested)"), "list<list<float32>>:");
  EXPECT_EQ(empty.text("combinations(fixed, 2, 0)"), "int64[1]:");
  EXPECT_EQ(empty.text("flatten(nested)"), "list<float32>:");
  EXPECT_EQ(empty.text("unique(nested)"), "list<list<float32>>:");
  EXPECT_EQ(empty.text("pad(list, 3, 0)"), "float32[3]:");
  EXPECT_EQ(empty.text("intersect(list, list)"), "list<float32>:");
  EXPECT_EQ(empty.text("cartesian(list, nested, 1)"), "list<list<float32>>:");
}

}  // namespace
}  // namespace sapwood
