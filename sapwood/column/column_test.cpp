#include "sapwood/column/column.h"

#include <gtest/gtest.h>

#include <random>

#include "sapwood/base/error.h"
#include "sapwood/column/joiner.h"
#include "sapwood/column/test_columns.h"

namespace sapwood {
namespace {

const std::shared_ptr<MemoryPool> kPool = heap_pool();
const Type kInt32{TypeKind::kInt32};

TEST(Column, OfFixedWidthKeepsTheInnermostValues) {
  const Type type = Type::fixed_list(Type::fixed_list(kInt32, 3), 2);
  const Column column = make_fixed_width_column(type, 4, kPool);
  EXPECT_EQ(column.length, 4);
  EXPECT_EQ(column.item().length, 8);
  EXPECT_EQ(column.item().item().length, 24);
  EXPECT_EQ(fixed_width_values(column).size(), 96u);
  EXPECT_EQ(column.byte_size(), 96u);
  EXPECT_EQ(fixed_width_values(column).data(), column.item().item().values.data());
}

TEST(Column, OfFixedWidthRefusesWhatDoesNotFit) {
  EXPECT_THROW(make_fixed_width_column(kInt32, 3, Buffer(13, kPool)), SchemaError);
  EXPECT_THROW(make_fixed_width_column(kInt32, -1, kPool), SchemaError);
  EXPECT_THROW(make_fixed_width_column({TypeKind::kFloat64}, INT64_MAX, kPool), SchemaError);
  EXPECT_THROW(make_fixed_width_column(Type::list(kInt32), 1, kPool), SchemaError);
  EXPECT_THROW(fixed_width_values(numbers_in_lists({{1}})), SchemaError);
}

TEST(Column, SlicesJoinToTheWhole) {
  for (const auto& [name, column] : one_column_of_each_kind()) {
    for (int64_t cut = 0; cut <= column.length; ++cut) {
      const Column parts[] = {slice(column, 0, cut, kPool), slice(column, cut, column.length - cut, kPool)};
      EXPECT_EQ(parts[0].length, cut);
      EXPECT_TRUE(identical(concatenate(parts, kPool), column)) << name << " cut at " << cut;
    }
  }
}

TEST(ColumnJoiner, JoinsAsConcatenateDoes) {
  for (const auto& [name, column] : one_column_of_each_kind()) {
    // Shares that expect too little, about right, and far too much.
    for (const double share : {1.0, 0.5, 1e-9}) {
      ColumnJoiner joiner(kPool);
      std::vector<Column> parts;
      for (int64_t round = 0; round < 5; ++round) {
        for (int64_t entry = 0; entry <= column.length; ++entry)
          parts.push_back(slice(column, entry, std::min(round, column.length - entry), kPool));
      }
      for (const Column& part : parts) joiner.append(part, share);
      const Column joined = joiner.finish();
      EXPECT_TRUE(identical(joined, concatenate(parts, kPool))) << name << ' ' << share;
      EXPECT_EQ(joined.byte_size(), concatenate(parts, kPool).byte_size()) << name << ' ' << share;
    }
  }
}

TEST(ColumnJoiner, RefusesAnotherType) {
  ColumnJoiner joiner(kPool);
  joiner.append(numbers({1, 2}), 0.5);
  EXPECT_THROW(joiner.append(numbers_in_lists({{1}}), 1), SchemaError);
}

TEST(Column, SliceOfListsStartsAtZero) {
  const Column cut = slice(numbers_in_lists({{1, 2}, {}, {3}, {4, 5}}), 2, 2, kPool);
  EXPECT_TRUE(identical(cut, numbers_in_lists({{3}, {4, 5}})));
}

TEST(Column, KeptEntriesAreThoseOfTheirSlices) {
  for (const auto& [name, column] : one_column_of_each_kind()) {
    const auto length = static_cast<size_t>(column.length);
    for (size_t choice = 0; choice < size_t{1} << length; ++choice) {
      std::vector<uint8_t> keep;
      std::vector<Column> parts{slice(column, 0, 0, kPool)};
      for (size_t entry = 0; entry < length; ++entry) {
        keep.push_back(choice >> entry & 1);
        if (keep.back() != 0) parts.push_back(slice(column, static_cast<int64_t>(entry), 1, kPool));
      }
      EXPECT_TRUE(identical(entries_of(column, kept_ranges(keep), kPool), concatenate(parts, kPool)))
          << name << ' ' << choice;
    }
  }
  EXPECT_THROW(entries_of(numbers({1, 2}), kept_ranges(std::vector<uint8_t>{1, 1, 1}), kPool), SchemaError);
}

// Of more entries than are looked at together, with runs that go on from one word to the next.
TEST(Column, KeptRangesAreTheRuns) {
  std::mt19937 random(3);
  for (const size_t length : {1, 63, 64, 65, 128, 4095, 4096, 4097, 10000}) {
    for (const int changes : {0, 2, 70, 2000}) {  // in a thousand entries
      std::vector<uint8_t> keep(length, static_cast<uint8_t>(length % 2));
      std::vector<EntryRange> runs;
      for (size_t i = 0; i < length; ++i) {
        if (i > 0) keep[i] = static_cast<int>(random() % 1000) < changes ? 255 - keep[i - 1] : keep[i - 1];
        if (keep[i] == 0) continue;
        if (i == 0 || keep[i - 1] == 0) runs.push_back({static_cast<int64_t>(i), static_cast<int64_t>(i)});
        ++runs.back().stop;
      }
      const std::vector<EntryRange> ranges = kept_ranges(keep);
      ASSERT_EQ(ranges.size(), runs.size());
      for (size_t r = 0; r < runs.size(); ++r) {
        EXPECT_EQ(ranges[r].start, runs[r].start);
        EXPECT_EQ(ranges[r].stop, runs[r].stop);
      }
    }
  }
  EXPECT_TRUE(kept_ranges({}).empty());
}

// Short and long lists, up to the last byte of what is copied from and to.
TEST(Column, EntriesOfListsOfAllSizes) {
  std::mt19937 random(4);
  std::vector<std::vector<int32_t>> values(300);
  for (auto& list : values) {
    list.resize(random() % 40);
    for (int32_t& item : list) item = static_cast<int32_t>(random());
  }
  const Column column = numbers_in_lists(values);
  for (int round = 0; round < 50; ++round) {
    std::vector<EntryRange> ranges;
    std::vector<std::vector<int32_t>> expected;
    for (int64_t entry = 0; entry < column.length;) {
      const int64_t start = std::min<int64_t>(entry + random() % 3, column.length);
      const int64_t stop = std::min<int64_t>(start + random() % 4, column.length);
      ranges.push_back({start, stop});
      expected.insert(expected.end(), values.begin() + start, values.begin() + stop);
      entry = stop;
    }
    EXPECT_TRUE(identical(entries_of(column, ranges, kPool), numbers_in_lists(expected)));
  }
}

TEST(Column, SpreadPutsEntriesInTheirPlaces) {
  for (const auto& [name, column] : one_column_of_each_kind()) {
    std::vector<int64_t> places;
    std::vector<uint8_t> keep;
    for (int64_t i = 0; i < column.length; ++i) {
      keep.resize(keep.size() + static_cast<size_t>(i % 3));
      places.push_back(std::ssize(keep));
      keep.push_back(1);
    }
    keep.resize(keep.size() + 2);
    const Column wide = spread(column, places, std::ssize(keep), kPool);
    EXPECT_TRUE(identical(entries_of(wide, kept_ranges(keep), kPool), column)) << name;
    for (uint8_t& kept : keep) kept = kept == 0 ? 1 : 0;
    const Column blanks = entries_of(wide, kept_ranges(keep), kPool);
    EXPECT_TRUE(identical(blanks, blank_column(column.type, blanks.length, kPool))) << name;
  }
  EXPECT_THROW(spread(numbers({1, 2}), std::vector<int64_t>{1, 1}, 3, kPool), SchemaError);
  EXPECT_THROW(spread(numbers({1, 2}), std::vector<int64_t>{1, 3}, 3, kPool), SchemaError);
  EXPECT_THROW(spread(numbers({1, 2}), std::vector<int64_t>{1}, 3, kPool), SchemaError);
}

TEST(Column, SliceRefusesWhatIsNotThere) {
  const Column column = numbers({1, 2, 3});
  EXPECT_THROW(slice(column, 2, 2, kPool), SchemaError);
  EXPECT_THROW(slice(column, -1, 1, kPool), SchemaError);
  EXPECT_THROW(slice(column, 1, INT64_MAX, kPool), SchemaError);
}

TEST(Column, ConcatenateRefusesOtherTypesAndNothing) {
  const Column parts[] = {numbers({1}), numbers_in_lists({{1}})};
  EXPECT_THROW(concatenate(parts, kPool), SchemaError);
  EXPECT_THROW(concatenate({}, kPool), SchemaError);
}

TEST(Column, IdenticalSeesEveryDifference) {
  EXPECT_TRUE(identical(numbers({1, 2}), numbers({1, 2})));
  EXPECT_FALSE(identical(numbers({1, 2}), numbers({1, 3})));
  EXPECT_FALSE(identical(numbers({1, 2}), numbers({1})));
  EXPECT_FALSE(identical(numbers_in_lists({{1}, {2, 3}}), numbers_in_lists({{1, 2}, {3}})));
  EXPECT_FALSE(identical(strings({"a", "bc"}), strings({"ab", "c"})));
  EXPECT_FALSE(identical(strings({"a"}), strings({"b"})));
}

}  // namespace
}  // namespace sapwood
