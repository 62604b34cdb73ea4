#include "sapwood/source/friend_reader.h"

#include <gtest/gtest.h>

#include <numeric>

#include "sapwood/column/test_columns.h"

namespace sapwood {
namespace {

const auto kPool = heap_pool();

// `n`, int32, is 100 * number + entry; `list` has (entry mod 3) of it. A block of each for every four
// entries.
class TestTable final : public Reader {
 public:
  TestTable(int32_t number, int64_t entries, const std::string& prefix = {})
      : number_(number), num_entries_(entries) {
    for (int64_t start = 0; start < entries; start += 4)
      clusters_.push_back({start, std::min(entries, start + 4)});
    std::vector<ColumnInfo> columns(2);
    columns[0].name = prefix + "n";
    columns[0].type = TypeKind::kInt32;
    columns[1].name = prefix + "list";
    columns[1].type = Type::list(TypeKind::kInt32);
    schema_ = Schema(std::move(columns));
  }

  const std::string& file() const override { return file_; }
  const std::string& object() const override { return object_; }
  const char* format() const override { return "test"; }
  const Schema& schema() const override { return schema_; }
  int64_t num_entries() const override { return num_entries_; }
  std::span<const EntryRange> clusters() const override { return clusters_; }
  std::vector<StorageBlock> blocks(size_t) const override {
    std::vector<StorageBlock> blocks;
    for (const EntryRange& cluster : clusters_) blocks.push_back({cluster.start, 10, 20});
    return blocks;
  }
  std::unique_ptr<FetchedColumns> fetch(std::span<const size_t> columns, EntryRange entries,
                                        const std::shared_ptr<MemoryPool>&,
                                        const std::stop_token&) const override {
    auto fetched = std::make_unique<Fetched>();
    fetched->columns.assign(columns.begin(), columns.end());
    fetched->entries = entries;
    return fetched;
  }
  Column decode(const FetchedColumns& fetched, size_t position, const std::shared_ptr<MemoryPool>&,
                const Buffer& destination) const override {
    const auto& [columns, entries] = static_cast<const Fetched&>(fetched);
    if (number_ == 9) throw FormatError("nine is wrong");
    std::vector<int32_t> values(static_cast<size_t>(entries.size()));
    std::iota(values.begin(), values.end(), 100 * number_ + static_cast<int32_t>(entries.start));
    if (columns[position] == 1) {
      std::vector<std::vector<int32_t>> lists;
      for (const int32_t value : values) lists.emplace_back(static_cast<size_t>(value % 3), value);
      return numbers_in_lists(lists);
    }
    if (destination.empty()) return numbers(values);
    std::ranges::copy(values, destination.as<int32_t>().begin());
    return make_fixed_width_column(TypeKind::kInt32, entries.size(), destination);
  }

 private:
  struct Fetched final : FetchedColumns {
    uint64_t held_bytes() const override { return 0; }
    std::vector<size_t> columns;
    EntryRange entries;
  };
  int32_t number_;
  int64_t num_entries_;
  std::string file_ = concat("file ", number_);
  std::string object_ = "tree";
  std::vector<EntryRange> clusters_;
  Schema schema_;
};

std::shared_ptr<const Source> source_of(std::vector<std::shared_ptr<const Reader>> tables) {
  return Source::open({{.label = "", .paths = {}, .tables = std::move(tables)}}, "tree");
}

// Files of 3, 0, 6 and 5 entries.
std::shared_ptr<const FriendColumns> small_friend() {
  const auto source = source_of({std::make_shared<TestTable>(1, 3), std::make_shared<TestTable>(2, 0),
                                 std::make_shared<TestTable>(3, 6), std::make_shared<TestTable>(4, 5)});
  return std::make_shared<FriendColumns>(source, std::vector<size_t>{0, 1}, "f");
}

std::vector<Column> read(const Reader& reader, const std::vector<size_t>& columns, EntryRange entries) {
  const auto fetched = reader.fetch(columns, entries, kPool);
  std::vector<Column> result;
  for (size_t i = 0; i < columns.size(); ++i) result.push_back(reader.decode(*fetched, i, kPool));
  return result;
}

// A table that begins at the friend's second entry, with the columns f.n, f.list, n, list.
FriendReader small_reader() { return {std::make_shared<TestTable>(7, 12), small_friend(), {2, 14}}; }

TEST(FriendReader, PutsPiecesOfFilesTogether) {
  const FriendReader reader = small_reader();
  EXPECT_EQ(reader.schema()[0].name, "f.n");
  EXPECT_EQ(reader.schema()[3].name, "list");
  EXPECT_EQ(reader.file(), "file 7");
  EXPECT_EQ(reader.num_entries(), 12);
  const std::vector<Column> columns = read(reader, {2, 1, 0}, {0, 9});
  EXPECT_TRUE(identical(columns[0], numbers({700, 701, 702, 703, 704, 705, 706, 707, 708})));
  EXPECT_TRUE(identical(
      columns[1], numbers_in_lists({{}, {}, {301}, {302, 302}, {}, {304}, {305, 305}, {400}, {401, 401}})));
  EXPECT_TRUE(identical(columns[2], numbers({102, 300, 301, 302, 303, 304, 305, 400, 401})));
}

TEST(FriendReader, AnyRangeIsAPartOfTheWhole) {
  const FriendReader reader = small_reader();
  const std::vector<Column> whole = read(reader, {0, 1}, {0, 12});
  for (int64_t start = 0; start <= 12; ++start) {
    for (int64_t stop = start; stop <= 12; ++stop) {
      const std::vector<Column> part = read(reader, {0, 1}, {start, stop});
      for (size_t c = 0; c < 2; ++c)
        EXPECT_TRUE(identical(part[c], slice(whole[c], start, stop - start, kPool))) << start << ".." << stop;
    }
  }
}

TEST(FriendReader, DecodesWhereItIsTold) {
  const FriendReader reader = small_reader();
  const std::vector<size_t> columns{0};
  for (const EntryRange range : {EntryRange{1, 4}, EntryRange{0, 12}}) {
    const auto fetched = reader.fetch(columns, range, kPool);
    const Buffer destination(static_cast<size_t>(range.size()) * 4, kPool);
    const Column decoded = reader.decode(*fetched, 0, kPool, destination);
    EXPECT_EQ(decoded.values.data(), destination.data());
    EXPECT_TRUE(identical(decoded, read(reader, columns, range).front()));
  }
}

TEST(FriendReader, BlocksAreCountedInTheTablesEntries) {
  std::vector<int64_t> starts;
  for (const StorageBlock& block : small_reader().blocks(0)) starts.push_back(block.first_entry);
  EXPECT_EQ(starts, (std::vector<int64_t>{0, 1, 5, 7, 11}));
  const FriendReader inner(std::make_shared<TestTable>(7, 2), small_friend(), {8, 10});
  starts.clear();
  for (const StorageBlock& block : inner.blocks(0)) starts.push_back(block.first_entry);
  EXPECT_EQ(starts, (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(inner.blocks(2).size(), 1u);
}

TEST(FriendReader, ErrorsTellTheFriendsFile) {
  const auto source = source_of({std::make_shared<TestTable>(1, 3), std::make_shared<TestTable>(9, 6)});
  const auto columns = std::make_shared<FriendColumns>(source, std::vector<size_t>{0, 1}, "");
  const FriendReader reader(std::make_shared<TestTable>(7, 9, "my_"), columns, {0, 9});
  EXPECT_NO_THROW(read(reader, {0, 1, 2}, {0, 3}));
  EXPECT_NO_THROW(read(reader, {2, 3}, {0, 9}));
  try {
    read(reader, {2, 0}, {1, 8});
    FAIL();
  } catch (const FormatError& error) {
    EXPECT_EQ(error.context().file, "file 9");
    EXPECT_EQ(error.context().column, "n");
    EXPECT_EQ(error.context().entries, (EntryRange{0, 5}));
  }
}

TEST(FriendReader, OtherTypesInLaterFilesAreRefused) {
  const auto source =
      source_of({std::make_shared<TestTable>(1, 3), std::make_shared<TestTable>(2, 3, "other_")});
  const auto columns = std::make_shared<FriendColumns>(source, std::vector<size_t>{0}, "");
  const FriendReader reader(std::make_shared<TestTable>(7, 6, "my_"), columns, {0, 6});
  EXPECT_NO_THROW(read(reader, {0}, {0, 3}));
  EXPECT_THROW(read(reader, {0}, {0, 4}), SchemaError);
}

TEST(Source, JoinedOutlinesAreOfBoth) {
  // Two files of 7 entries, which are given open, beside files of a friend.
  const std::string jets = SAPWOOD_TEST_DATA "/../../examples/data/";
  const auto main =
      Source::open({{.label = "", .paths = {jets + "QCD_ttree.root", jets + "QCD_rntuple.root"}}}, "tree");
  const auto other =
      Source::open({{.label = "", .paths = {jets + "Tbqq_rntuple.root", jets + "Tbqq_ttree.root"}}}, "tree");
  ASSERT_EQ(main->num_entries(), other->num_entries());
  const std::vector<size_t> places{other->schema().require("jet_pt"), other->schema().require("part_deta")};
  const auto joined = Source::joined(main, std::make_shared<FriendColumns>(other, places, "top"));
  EXPECT_EQ(joined->schema().size(), main->schema().size() + 2);
  for (size_t file = 0; file < 2; ++file) {
    const std::vector<std::string> names{"top.part_deta", "jet_pt", "top.jet_pt"};
    const TableOutline outline = joined->outline(file, names);
    const auto reader = joined->reader(file);
    ASSERT_EQ(outline.columns.size(), 3u);
    EXPECT_GT(outline.columns[0].values_per_entry, 10);
    for (size_t i = 0; i < 3; ++i) {
      const auto blocks = reader->blocks(reader->schema().require(names[i]));
      ASSERT_EQ(outline.columns[i].blocks.size(), blocks.size());
      EXPECT_FALSE(blocks.empty());
      for (size_t b = 0; b < blocks.size(); ++b) {
        EXPECT_EQ(outline.columns[i].blocks[b].first_entry, blocks[b].first_entry);
        EXPECT_EQ(outline.columns[i].blocks[b].compressed_bytes, blocks[b].compressed_bytes);
      }
    }
  }
}

}  // namespace
}  // namespace sapwood
