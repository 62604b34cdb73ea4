#include "sapwood/frame/frame_reader.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "sapwood/column/arrow_interface.h"
#include "sapwood/column/test_columns.h"

namespace sapwood {
namespace {

const auto kPool = heap_pool();

// A frame of two columns, `n` (the entry) and `list` (so many 7), that gives each entry for which `passes` is
// true, in two parts.
struct TestFrame {
  std::vector<int64_t> cluster_stops{4, 4, 10};
  std::vector<const char*> names{"n", "list", "object"};
  std::vector<const char*> types{"int32", "list<int32>", ""};
  FrameCalls calls{.frame = this,
                   .description = "a frame",
                   .num_entries = 10,
                   .num_clusters = 3,
                   .cluster_stops = cluster_stops.data(),
                   .num_columns = 3,
                   .names = names.data(),
                   .stored_types = names.data(),
                   .types = types.data(),
                   .drops_rows = true,
                   .whole_clusters = false,
                   .ordered = true,
                   .read = read,
                   .close = [](void* frame) { ++static_cast<TestFrame*>(frame)->closed; }};
  bool (*passes)(int64_t entry) = [](int64_t entry) { return entry % 3 == 0; };
  int64_t shift = 0;  // of the entries that rows say they are
  int closed = 0;

  static bool read(void* frame, const int64_t* columns, int64_t num_columns, int64_t start, int64_t stop,
                   void* context, void (*part)(void*, ArrowArray*), char* error, int64_t error_size) {
    const TestFrame& self = *static_cast<TestFrame*>(frame);
    if (start == 9) {
      std::strncpy(error, "nine is too many", static_cast<size_t>(error_size));
      return false;
    }
    const int64_t middle = std::midpoint(start, stop);
    for (const auto& [first, last] : {std::pair(start, middle), std::pair(middle, stop)}) {
      std::vector<uint64_t> entries;
      std::vector<int32_t> values;
      std::vector<std::vector<int32_t>> lists;
      for (int64_t entry = first; entry < last; ++entry) {
        if (!self.passes(entry)) continue;
        entries.push_back(static_cast<uint64_t>(entry + self.shift));
        values.push_back(static_cast<int32_t>(entry));
        lists.emplace_back(static_cast<size_t>(entry), 7);
      }
      std::vector<ArrowArray> arrays(static_cast<size_t>(num_columns) + 1);
      export_array({{TypeKind::kUInt64}, std::ssize(entries), buffer_of(entries)}, &arrays[0]);
      for (int64_t i = 0; i < num_columns; ++i)
        export_array(columns[i] == 0 ? numbers(values) : numbers_in_lists(lists),
                     &arrays[static_cast<size_t>(i) + 1]);
      part(context, arrays.data());
    }
    return true;
  }
};

std::vector<Column> read_all(const Reader& reader, std::vector<size_t> columns, EntryRange entries) {
  const auto fetched = reader.fetch(columns, entries, kPool);
  std::vector<Column> result;
  for (size_t i = 0; i < columns.size(); ++i) result.push_back(reader.decode(*fetched, i, kPool));
  return result;
}

TEST(FrameReader, TellsWhatTheFrameHas) {
  TestFrame frame;
  {
    const FrameReader reader(&frame.calls);
    EXPECT_EQ(reader.num_entries(), 10);
    EXPECT_EQ(reader.row_column(), "frame_passes");
    ASSERT_EQ(reader.clusters().size(), 2U);
    EXPECT_EQ(reader.clusters()[1], (EntryRange{4, 10}));
    EXPECT_EQ(reader.schema()[0].uncompressed_bytes, 40U);
    EXPECT_NEAR(reader.schema()[1].values_per_entry, 1.8, 1e-9);  // 18 values of 10 entries
    EXPECT_FALSE(reader.schema()[2].unsupported.empty());
    EXPECT_EQ(reader.blocks(0).size(), 2U);
  }
  EXPECT_EQ(frame.closed, 1);
}

TEST(FrameReader, PutsRowsInTheirPlaces) {
  TestFrame frame;
  const FrameReader reader(&frame.calls);
  const std::vector<Column> columns = read_all(reader, {3, 0, 1}, {2, 8});
  const auto passes = columns[0].values.as<const uint8_t>();
  EXPECT_EQ(std::vector<uint8_t>(passes.begin(), passes.end()), (std::vector<uint8_t>{0, 1, 0, 0, 1, 0}));
  EXPECT_TRUE(identical(columns[1], numbers({0, 3, 0, 0, 6, 0})));
  EXPECT_TRUE(identical(columns[2], numbers_in_lists({{}, {7, 7, 7}, {}, {}, {7, 7, 7, 7, 7, 7}, {}})));
  frame.passes = [](int64_t) { return false; };
  EXPECT_TRUE(identical(read_all(reader, {1}, {0, 2})[0], numbers_in_lists({{}, {}})));
  EXPECT_EQ(read_all(reader, {0, 1}, {5, 5})[1].length, 0);
}

TEST(FrameReader, SaysWhatGoesWrong) {
  TestFrame frame;
  const FrameReader reader(&frame.calls);
  try {
    read_all(reader, {0}, {9, 10});
    FAIL();
  } catch (const IoError& error) {
    EXPECT_NE(error.message().find("nine is too many"), std::string::npos);
    EXPECT_EQ(error.context().entries, (EntryRange{9, 10}));
  }
  frame.shift = 1;
  EXPECT_THROW(read_all(reader, {0}, {0, 4}), IoError);  // 4 is none of them
  frame.shift = 0;
  frame.calls.drops_rows = false;
  EXPECT_THROW(read_all(reader, {0}, {0, 4}), IoError);  // two are missing
  frame.calls.drops_rows = true;
  frame.calls.whole_clusters = true;
  EXPECT_THROW(read_all(reader, {0}, {0, 5}), UnsupportedError);
  EXPECT_EQ(read_all(reader, {0}, {0, 4})[0].length, 4);
}

}  // namespace
}  // namespace sapwood
