#include "sapwood/loader/make_batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "sapwood/features/test_columns.h"

namespace sapwood {
namespace {

TEST(MakeBatches, CutsRowsAndSharesMemory) {
  const Column x = numbers<float>(TypeKind::kFloat32, {1, 2, 3, 4, 5});
  const Column v = jagged({{1}, {2, 3}, {}, {}, {4, 5, 6}});
  const RowFormat format({{{.name = "x", .variables = {"x"}, .squeeze = true},
                           {.name = "v", .variables = {"v"}, .layout = Layout::kPacked}}},
                         schema_of({{"x", x}, {"v", v}}));
  RowWriter writer(format, {x, v}, heap_pool());
  std::vector<std::vector<std::byte>> rows;
  std::vector<std::byte*> out;
  std::vector<int64_t> entries;
  for (int64_t i = 0; i < writer.num_rows(); ++i) {
    rows.emplace_back(writer.row_size(i));
    entries.push_back(i);
  }
  for (auto& row : rows) out.push_back(row.data());
  writer.write(entries, out);
  const std::vector<const std::byte*> order{out[4], out[1], out[2], out[3], out[0]};

  const auto batches = make_batches(format, order, std::array<int64_t, 3>{2, 2, 1}, heap_pool());
  ASSERT_EQ(batches.size(), 3u);
  const auto is = [&](size_t batch, size_t tensor, const auto& wanted) {
    using Value = typename std::remove_cvref_t<decltype(wanted)>::value_type;
    return std::ranges::equal(batches[batch].tensors[tensor].template as<Value>(), wanted);
  };
  EXPECT_EQ(batches[0].rows, 2);
  EXPECT_EQ(batches[2].rows, 1);
  EXPECT_TRUE(is(0, 0, std::vector<float>{5, 2}));
  EXPECT_TRUE(is(0, 1, std::vector<float>{4, 5, 6, 2, 3}));
  EXPECT_TRUE(is(0, 2, std::vector<int32_t>{0, 3, 5}));
  EXPECT_TRUE(is(0, 3, std::vector<int32_t>{3}));
  EXPECT_TRUE(is(1, 0, std::vector<float>{3, 4}));
  EXPECT_TRUE(is(1, 1, std::vector<float>{}));
  EXPECT_TRUE(is(1, 2, std::vector<int32_t>{0, 0, 0}));
  EXPECT_TRUE(is(1, 3, std::vector<int32_t>{0}));
  EXPECT_TRUE(is(2, 1, std::vector<float>{1}));
  EXPECT_TRUE(is(2, 2, std::vector<int32_t>{0, 1}));
  EXPECT_EQ(batches[1].tensors[0].data(), batches[0].tensors[0].data() + 64);
}

}  // namespace
}  // namespace sapwood
