#include "sapwood/ttree/tree.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "sapwood/ttree/print_column.h"

namespace sapwood::ttree {
namespace {

const std::string kFolder = SAPWOOD_TEST_DATA "/";

std::shared_ptr<const Tree> open_tree(const std::string& name, const std::string& key = "tree") {
  const auto file = root::File::open(io::open_local_file(kFolder + name));
  const root::Key* found = file->find(key);
  if (found == nullptr) throw SchemaError("no " + key);
  return Tree::open(file, *found);
}

Column read(const Tree& tree, const std::string& name, EntryRange entries, const Buffer& destination = {}) {
  const size_t column = tree.schema().require(name);
  const auto fetched = tree.fetch(std::span(&column, 1), entries, heap_pool());
  return tree.decode(*fetched, 0, heap_pool(), destination);
}

Column read(const Tree& tree, const std::string& name) { return read(tree, name, {0, tree.num_entries()}); }

/// uproot's values, written by tests/data/write_expected_trees.py.
class Expected : public testing::TestWithParam<const char*> {};

TEST_P(Expected, MatchesUproot) {
  std::ifstream lines(kFolder + GetParam() + ".expected");
  ASSERT_TRUE(lines);
  std::shared_ptr<const Tree> tree;
  std::multiset<std::string> seen;
  int compared = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; std::getline(in, word, '\t');) words.push_back(word);
    if (words.front() == "tree") {
      tree = open_tree(GetParam() + std::string(".root"), words[1]);
      EXPECT_EQ(std::to_string(tree->num_entries()), words[2]);
      continue;
    }
    const auto column = tree->schema().find(words.front());
    ASSERT_TRUE(column) << words.front();
    if (!tree->schema()[*column].unsupported.empty()) continue;
    SCOPED_TRACE(words.front());
    const Column values = read(*tree, words.front());
    ASSERT_EQ(values.length, tree->num_entries());
    for (size_t i = 1; i < words.size(); ++i) {
      const int64_t entry = i < 4 ? static_cast<int64_t>(i) - 1 : values.length - 1;
      EXPECT_EQ(print_entry(values, entry), words[i]) << "entry " << entry;
    }
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

INSTANTIATE_TEST_SUITE_P(Files, Expected,
                         testing::Values("uproot-leaflist", "uproot-small-flat-tree",
                                         "uproot-small-dy-withoffsets", "uproot-small-dy-nooffsets",
                                         "uproot-stl_containers", "uproot-small-evnt-tree-fullsplit",
                                         "uproot-small-evnt-tree-nosplit", "uproot-nesteddirs",
                                         "uproot-sample-5.23.02-zlib", "uproot-issue38a"));

// The same events, with and without entry offsets in the baskets: those without are cut by the counter.
TEST(Tree, ReadsCountedArraysWithoutEntryOffsets) {
  const auto with = open_tree("uproot-small-dy-withoffsets.root");
  const auto without = open_tree("uproot-small-dy-nooffsets.root");
  ASSERT_EQ(with->num_entries(), without->num_entries());
  for (const char* name : {"Jet_pt", "Jet_jetId"}) {
    EXPECT_TRUE(identical(read(*with, name), read(*without, name))) << name;
    const EntryRange cut{with->num_entries() / 3, with->num_entries() - 7};
    EXPECT_TRUE(identical(read(*with, name, cut), read(*without, name, cut))) << name;
  }
}

std::vector<Column> read_together(const Tree& tree, const std::vector<std::string>& names,
                                  EntryRange entries) {
  std::vector<size_t> columns;
  for (const std::string& name : names) columns.push_back(tree.schema().require(name));
  const auto fetched = tree.fetch(columns, entries, heap_pool());
  std::vector<Column> result;
  for (size_t c = 0; c < columns.size(); ++c) result.push_back(tree.decode(*fetched, c, heap_pool()));
  return result;
}

// Arrays with one counter have the same lists, whose offsets they share where they are stored.
TEST(Tree, ColumnsWithOneCounterShareTheirOffsets) {
  for (const bool has_offsets : {true, false}) {
    const auto tree =
        open_tree(has_offsets ? "uproot-small-dy-withoffsets.root" : "uproot-small-dy-nooffsets.root");
    const std::vector<std::string> names{"Jet_pt", "Muon_pt", "Jet_jetId", "Muon_charge"};
    for (const EntryRange entries : {EntryRange{0, tree->num_entries()}, {3, 400}, {17, 18}, {5, 5}}) {
      const std::vector<Column> together = read_together(*tree, names, entries);
      for (size_t c = 0; c < names.size(); ++c)
        EXPECT_TRUE(identical(together[c], read(*tree, names[c], entries))) << names[c];
      if (!has_offsets || entries.size() == 0) continue;
      EXPECT_EQ(together[0].offsets.data(), together[2].offsets.data());
      EXPECT_EQ(together[1].offsets.data(), together[3].offsets.data());
      EXPECT_NE(together[0].offsets.data(), together[1].offsets.data());
    }
  }
}

// Both are counted by `n`, which was another number when `b` was filled: its own offsets say so.
TEST(Tree, ColumnsWithOtherListsThanTheirCounterSaysKeepThem) {
  const auto tree = open_tree("uneven_counter.root");
  const std::vector<Column> together = read_together(*tree, {"a", "b"}, {0, tree->num_entries()});
  EXPECT_TRUE(identical(together[0], read(*tree, "a")));
  EXPECT_TRUE(identical(together[1], read(*tree, "b")));
  EXPECT_FALSE(identical(together[0], together[1]));
}

TEST(Tree, ReadsAnyRangeAsTheWholeSliced) {
  for (const char* file : {"uproot-stl_containers.root", "uproot-small-evnt-tree-fullsplit.root",
                           "uproot-sample-5.23.02-zlib.root"}) {
    const auto tree =
        open_tree(file, std::string(file).find("5.23") == std::string::npos ? "tree" : "sample");
    for (const ColumnInfo& column : tree->schema().columns()) {
      if (!column.unsupported.empty()) continue;
      const Column whole = read(*tree, column.name);
      for (const auto& [start, stop] : {std::pair<int64_t, int64_t>{0, 1}, {1, 4}, {2, 2}}) {
        EXPECT_TRUE(identical(read(*tree, column.name, {start, stop}),
                              slice(whole, start, stop - start, heap_pool())))
            << file << ' ' << column.name;
      }
    }
  }
}

TEST(Tree, ReadsLeafListsWholeAndByLeaf) {
  const auto tree = open_tree("uproot-leaflist.root");
  const auto whole = tree->schema().find("leaflist");
  ASSERT_TRUE(whole);
  const Type& type = tree->schema()[*whole].type;
  ASSERT_EQ(type.kind, TypeKind::kStruct);
  const Column record = read(*tree, "leaflist");
  for (size_t i = 0; i < type.children.size(); ++i) {
    const std::string name = "leaflist." + type.children[i].name;
    const auto member = tree->schema().find(name);
    ASSERT_TRUE(member) << name;
    EXPECT_TRUE(tree->schema()[*member].is_member);
    EXPECT_TRUE(identical(read(*tree, name), record.children[i])) << name;
  }
}

// As ROOT 6.40 reads them, to the last bit; uproot divides and multiplies in another order.
TEST(Tree, ScalesShortRealsAsRootDoes) {
  const auto tree = open_tree("uproot-double32-float16.root");
  const auto values = [&]<class T>(const char* name, T) {
    const Buffer buffer = fixed_width_values(read(*tree, name));
    const auto span = buffer.as<const T>();
    return std::vector<T>(span.begin(), span.end());
  };
  EXPECT_EQ(values("double32_32", double{})[0], -1.9999999992689117);
  EXPECT_EQ(values("double32_32", double{})[2], -0.99999999982304866);
  EXPECT_EQ(values("double32_3", double{})[1], -1.1212499999999999);
  EXPECT_EQ(values("float16_16", float{})[1], -1.5000132322311401f);
  EXPECT_EQ(values("array_10", float{})[0], -2.0025098323822021f);
}

// x[15][2]:y[15][2] in one branch.
TEST(Tree, ReadsLeafListsOfArrays) {
  const auto tree = open_tree("uproot-issue501.root", "T");
  const auto column = tree->schema().find("point");
  ASSERT_TRUE(column);
  EXPECT_EQ(tree->schema()[*column].type.to_string(), "struct<x: float32[15][2], y: float32[15][2]>");
  EXPECT_EQ(read(*tree, "point").length, tree->num_entries());
}

TEST(Tree, WritesFixedWidthsToTheirDestination) {
  const auto tree = open_tree("uproot-small-flat-tree.root");
  const Column expected = read(*tree, "ArrayFloat32");
  const Buffer destination(fixed_width_values(expected).size(), heap_pool());
  const Column column = read(*tree, "ArrayFloat32", {0, tree->num_entries()}, destination);
  EXPECT_EQ(fixed_width_values(column).data(), destination.data());
  EXPECT_TRUE(identical(column, expected));
  EXPECT_THROW(read(*tree, "ArrayFloat32", {0, 1}, destination), ConfigError);
}

TEST(Tree, SaysWhatItDoesNotRead) {
  for (const auto& [tree_name, column] : {std::pair{"whole", "event.any"}, {"split", "any"}}) {
    const auto tree = open_tree("objects.root", tree_name);
    const size_t index = tree->schema().find(column).value();
    EXPECT_EQ(tree->schema()[index].stored_type, "TObjArray");
    EXPECT_NE(tree->schema()[index].unsupported, "");
    EXPECT_THROW(tree->fetch(std::span(&index, 1), {0, 1}, heap_pool()), UnsupportedError);
  }
}

TEST(Tree, CoversItsEntriesWithClusters) {
  for (const char* file : {"uproot-small-flat-tree.root", "uproot-small-dy-withoffsets.root"}) {
    const auto tree = open_tree(file);
    int64_t next = 0;
    for (const EntryRange& cluster : tree->clusters()) {
      EXPECT_EQ(cluster.start, next);
      EXPECT_GT(cluster.size(), 0);
      next = cluster.stop;
    }
    EXPECT_EQ(next, tree->num_entries());
  }
}

TEST(Tree, ListsBasketsAsBlocks) {
  const auto tree = open_tree("uproot-small-dy-withoffsets.root");
  const auto blocks = tree->blocks(tree->schema().require("Jet_pt"));
  ASSERT_FALSE(blocks.empty());
  EXPECT_EQ(blocks.front().first_entry, 0);
  for (const StorageBlock& block : blocks) {
    EXPECT_GT(block.compressed_bytes, 0u);
    EXPECT_GT(block.offset, 0u);
  }
}

TEST(Tree, RefusesEntriesItDoesNotHave) {
  const auto tree = open_tree("uproot-small-flat-tree.root");
  const size_t column = 0;
  EXPECT_THROW(tree->fetch(std::span(&column, 1), {0, tree->num_entries() + 1}, heap_pool()), ConfigError);
  EXPECT_THROW(tree->fetch(std::span(&column, 1), {-1, 1}, heap_pool()), ConfigError);
}

}  // namespace
}  // namespace sapwood::ttree
