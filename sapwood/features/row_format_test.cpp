#include "sapwood/features/row_format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "sapwood/base/error.h"
#include "sapwood/features/test_columns.h"

namespace sapwood {
namespace {

struct Tensors {
  std::vector<std::vector<std::byte>> bytes;
  template <class T>
  std::vector<T> as(size_t tensor) const {
    std::vector<T> values(bytes[tensor].size() / sizeof(T));
    std::memcpy(values.data(), bytes[tensor].data(), bytes[tensor].size());
    return values;
  }
};

// Writes all entries as rows and assembles them in `order`.
Tensors through_rows(const RowFormat& format, const std::vector<Column>& columns,
                     const std::vector<size_t>& order) {
  RowWriter writer(format, columns, heap_pool());
  std::vector<std::vector<std::byte>> rows;
  std::vector<std::byte*> pointers;
  std::vector<int64_t> entries;
  for (int64_t i = 0; i < writer.num_rows(); ++i) {
    rows.emplace_back(writer.row_size(i));
    pointers.push_back(rows.back().data());
    entries.push_back(i);
  }
  for (size_t tile = 0; tile < entries.size(); tile += RowWriter::kTile) {
    const size_t count = std::min<size_t>(RowWriter::kTile, entries.size() - tile);
    writer.write(std::span(entries).subspan(tile, count), std::span(pointers).subspan(tile, count));
  }
  std::vector<const std::byte*> picked;
  for (const size_t i : order) picked.push_back(rows[i].data());
  Tensors tensors;
  std::vector<std::byte*> outs;
  for (const size_t bytes : format.tensor_bytes(picked.size(), format.packed_values(picked)))
    tensors.bytes.emplace_back(bytes, std::byte{0xee});
  for (auto& tensor : tensors.bytes) outs.push_back(tensor.data());
  TensorWriter writer_of_tensors(format, outs);
  const size_t half = picked.size() / 2;
  writer_of_tensors.append(std::span(picked).first(half));
  writer_of_tensors.append(std::span(picked).subspan(half));
  return tensors;
}

TEST(RowFormat, FlatGroupsOfMixedTypes) {
  const std::vector<std::pair<std::string, Column>> columns{
      {"x", numbers<float>(TypeKind::kFloat32, {1, 2, 3})},
      {"n", numbers<int32_t>(TypeKind::kInt32, {10, 20, 30})},
      {"id", numbers<int64_t>(TypeKind::kInt64, {1LL << 60, 2, 3})}};
  const FeatureSpec spec{{{.name = "f", .variables = {"n", "x"}},
                          {.name = "y", .variables = {"id"}, .dtype = DType::kInt64, .squeeze = true}}};
  const RowFormat format(spec, schema_of(columns));
  EXPECT_EQ(format.columns(), (std::vector<std::string>{"n", "x", "id"}));
  EXPECT_EQ(format.tensors()[0].shape, (std::vector<int64_t>{2}));
  EXPECT_TRUE(format.tensors()[1].shape.empty());
  const Tensors out =
      through_rows(format, {columns[1].second, columns[0].second, columns[2].second}, {2, 0, 1});
  EXPECT_EQ(out.as<float>(0), (std::vector<float>{30, 3, 10, 1, 20, 2}));
  EXPECT_EQ(out.as<int64_t>(1), (std::vector<int64_t>{3, 1LL << 60, 2}));
}

TEST(RowFormat, FixedArraysBecomeChannels) {
  Column column = make_fixed_width_column(Type::fixed_list({TypeKind::kInt16, 0, {}}, 3), 2, heap_pool());
  std::ranges::copy(std::vector<int16_t>{1, 2, 3, 4, 5, 6}, fixed_width_values(column).as<int16_t>().begin());
  const RowFormat format({{{.name = "f", .variables = {"v"}}}}, schema_of({{"v", column}}));
  EXPECT_EQ(format.tensors()[0].channels, (std::vector<std::string>{"v[0]", "v[1]", "v[2]"}));
  EXPECT_EQ(through_rows(format, {column}, {1, 0}).as<float>(0), (std::vector<float>{4, 5, 6, 1, 2, 3}));
}

TEST(RowFormat, PaddedChannelsFirstAndLast) {
  const Column a = jagged({{1, 2, 3}, {}, {4}});
  const Column b = jagged({{-1, -2, -3}, {}, {-4}});
  const Schema schema = schema_of({{"a", a}, {"b", b}});
  FeatureGroup group{.name = "part", .variables = {"a", "b"}, .pad = 2, .pad_value = 9};
  const RowFormat first({{group}}, schema);
  EXPECT_EQ(first.tensors()[0].shape, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(first.tensors()[1].shape, (std::vector<int64_t>{1, 2}));
  const Tensors rows = through_rows(first, {a, b}, {0, 1, 2});
  EXPECT_EQ(rows.as<float>(0), (std::vector<float>{1, 2, -1, -2, 9, 9, 9, 9, 4, 9, -4, 9}));
  EXPECT_EQ(rows.as<uint8_t>(1), (std::vector<uint8_t>{1, 1, 0, 0, 1, 0}));
  group.layout = Layout::kChannelsLast;
  const RowFormat last({{group}}, schema);
  EXPECT_EQ(through_rows(last, {a, b}, {2, 0}).as<float>(0), (std::vector<float>{4, -4, 9, 9, 1, -1, 2, -2}));
}

TEST(RowFormat, Packed) {
  const Column a = jagged({{1, 2, 3}, {}, {4}, {5, 6}});
  const Column b = jagged({{-1, -2, -3}, {}, {-4}, {-5, -6}});
  const Column x = numbers<float>(TypeKind::kFloat32, {10, 20, 30, 40});
  const Schema schema = schema_of({{"a", a}, {"b", b}, {"x", x}});
  FeatureSpec spec{
      {{.name = "part", .variables = {"a", "b"}, .layout = Layout::kPacked},
       {.name = "x", .variables = {"x"}},
       {.name = "one", .variables = {"a"}, .pad = 1, .layout = Layout::kPacked, .dtype = DType::kInt64},
       {.name = "pad", .variables = {"b"}, .pad = 2}}};
  const RowFormat format(spec, schema);
  std::vector<std::string> names;
  std::vector<Axis> axes;
  for (const TensorInfo& tensor : format.tensors()) {
    names.push_back(tensor.name);
    axes.push_back(tensor.axis);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"part", "part_cu_seqlens", "part_max_seqlen", "x", "one",
                                             "one_cu_seqlens", "one_max_seqlen", "pad", "pad_mask"}));
  EXPECT_EQ(axes, (std::vector<Axis>{Axis::kValues, Axis::kOffsets, Axis::kNone, Axis::kRows, Axis::kValues,
                                     Axis::kOffsets, Axis::kNone, Axis::kRows, Axis::kRows}));
  const Tensors out = through_rows(format, {a, b, x}, {3, 1, 0});
  EXPECT_EQ(out.as<float>(0), (std::vector<float>{5, -5, 6, -6, 1, -1, 2, -2, 3, -3}));
  EXPECT_EQ(out.as<int32_t>(1), (std::vector<int32_t>{0, 2, 2, 5}));
  EXPECT_EQ(out.as<int32_t>(2), std::vector<int32_t>{3});
  EXPECT_EQ(out.as<float>(3), (std::vector<float>{40, 20, 10}));
  EXPECT_EQ(out.as<int64_t>(4), (std::vector<int64_t>{5, 1}));
  EXPECT_EQ(out.as<int32_t>(5), (std::vector<int32_t>{0, 1, 1, 2}));
  EXPECT_EQ(out.as<int32_t>(6), std::vector<int32_t>{1});
  EXPECT_EQ(out.as<float>(7), (std::vector<float>{-5, -6, 0, 0, -1, -2}));
  EXPECT_EQ(tensor_shape(format.tensors()[0], 3, out.bytes[0].size()), (std::vector<int64_t>{5, 2}));
  EXPECT_EQ(tensor_shape(format.tensors()[1], 3, out.bytes[1].size()), (std::vector<int64_t>{4}));
  EXPECT_EQ(tensor_shape(format.tensors()[2], 3, out.bytes[2].size()), (std::vector<int64_t>{}));
  EXPECT_EQ(tensor_shape(format.tensors()[7], 3, out.bytes[7].size()), (std::vector<int64_t>{3, 1, 2}));

  const Tensors none = through_rows(format, {a, b, x}, {1});
  EXPECT_TRUE(none.bytes[0].empty());
  EXPECT_EQ(none.as<int32_t>(1), (std::vector<int32_t>{0, 0}));
  EXPECT_EQ(none.as<int32_t>(2), std::vector<int32_t>{0});
  EXPECT_EQ(tensor_shape(format.tensors()[0], 1, 0), (std::vector<int64_t>{0, 2}));
  // A mean of 1.5 values: 2 float32 of each, then the offsets, "x", one int64, and "pad" with its mask.
  const std::vector<double> per_entry{1.5, 1.5, 1};
  EXPECT_EQ(format.expected_tensor_bytes(per_entry), 1.5 * 8 + 4 + 4 + 1 * 8 + 4 + 2 * 4 + 2);
}

TEST(RowFormat, PackedCountsWhatInt32Can) {
  const Schema schema = schema_of({{"v", jagged({{1}})}});
  const RowFormat format({{{.name = "g", .variables = {"v"}, .layout = Layout::kPacked}}}, schema);
  // Rows that begin as those of so many values do.
  std::vector<std::vector<std::byte>> rows(3, std::vector<std::byte>(8));
  std::vector<const std::byte*> pointers;
  for (auto& row : rows) {
    const uint32_t count = uint32_t{1} << 30;
    std::memcpy(row.data(), &count, sizeof(count));
    pointers.push_back(row.data());
  }
  const auto values = format.packed_values(pointers);
  EXPECT_EQ(values, std::vector<uint64_t>{uint64_t{3} << 30});
  EXPECT_THROW(format.tensor_bytes(3, values), ConfigError);
  const std::vector<uint64_t> most{INT32_MAX};
  EXPECT_EQ(format.tensor_bytes(2, most), (std::vector<size_t>{size_t{4} * INT32_MAX, 12, 4}));
}

TEST(RowFormat, ManyRowsAcrossTiles) {
  std::vector<float> x;
  std::vector<std::vector<float>> lists;
  std::vector<size_t> order;
  for (int i = 0; i < 1000; ++i) {
    x.push_back(static_cast<float>(i));
    lists.emplace_back(static_cast<size_t>(i % 7), static_cast<float>(i));
    order.push_back(static_cast<size_t>((i * 617) % 1000));
  }
  const Column scalar = numbers(TypeKind::kFloat32, x);
  const Column list = jagged(lists);
  const FeatureSpec spec{{{.name = "s", .variables = {"x"}}, {.name = "l", .variables = {"v"}, .pad = 5}}};
  const Tensors out =
      through_rows(RowFormat(spec, schema_of({{"x", scalar}, {"v", list}})), {scalar, list}, order);
  const auto s = out.as<float>(0);
  const auto l = out.as<float>(1);
  for (size_t i = 0; i < order.size(); ++i) {
    EXPECT_EQ(s[i], static_cast<float>(order[i]));
    for (size_t k = 0; k < 5; ++k)
      EXPECT_EQ(l[i * 5 + k], k < order[i] % 7 ? static_cast<float>(order[i]) : 0.0f);
  }
}

TEST(RowFormat, RefusesWhatDoesNotFit) {
  const Schema schema = schema_of({{"x", numbers<float>(TypeKind::kFloat32, {1})}, {"v", jagged({{1}})}});
  const auto group = [](std::vector<Variable> variables, int64_t pad) {
    return FeatureSpec{{{.name = "g", .variables = std::move(variables), .pad = pad}}};
  };
  EXPECT_THROW(RowFormat(group({"v"}, 0), schema), SchemaError);
  EXPECT_THROW(RowFormat(group({"x"}, 4), schema), SchemaError);
  EXPECT_THROW(RowFormat(group({"y"}, 0), schema), SchemaError);
  EXPECT_THROW(RowFormat(group({}, 0), schema), ConfigError);
  EXPECT_THROW(RowFormat(group({"v"}, -1), schema), ConfigError);
  EXPECT_THROW(RowFormat({{{.name = "g", .variables = {"x"}, .layout = Layout::kPacked}}}, schema),
               SchemaError);
  EXPECT_THROW(RowFormat({{{.name = "g", .variables = {"v"}, .layout = Layout::kPacked},
                           {.name = "g_cu_seqlens", .variables = {"x"}}}},
                         schema),
               ConfigError);
  EXPECT_THROW(RowFormat({}, schema), ConfigError);
  EXPECT_THROW(RowFormat({{{.name = "g", .variables = {"x"}}, {.name = "g", .variables = {"x"}}}}, schema),
               ConfigError);
}

TEST(RowFormat, RefusesWhatIsNotFitted) {
  const Schema schema = schema_of({{"v", jagged({{1}})}});
  EXPECT_THROW(RowFormat({{{.name = "g", .variables = {"v"}, .pad = FeatureGroup::kFitPad}}}, schema),
               ConfigError);
  const Variable unfitted("v", "v", {{.kind = Transform::Kind::kMinMax, .fitted = false}});
  EXPECT_THROW(RowFormat({{{.name = "g", .variables = {unfitted}, .pad = 3}}}, schema), ConfigError);
}

TEST(RowFormat, EvaluatesEachFormulaOnce) {
  const Column x = numbers<float>(TypeKind::kFloat32, {1, 2});
  const Column v = jagged({{1, 2, 3}, {4}});
  const FeatureSpec spec{{{.name = "f", .variables = {"x", "sum(v)", "sum(v) + x"}},
                          {.name = "l", .variables = {"v", "v - x"}, .pad = 2},
                          {.name = "w", .variables = {"sum(v)"}, .squeeze = true, .role = Role::kWeight}}};
  const RowFormat format(spec, schema_of({{"x", x}, {"v", v}}));
  EXPECT_EQ(format.columns(), (std::vector<std::string>{"x", "v"}));
  EXPECT_EQ(format.tensors().back().role, Role::kWeight);
  const std::vector<double> values_per_entry{1, 2};
  EXPECT_GT(format.expected_work_bytes(values_per_entry), 0);
  const Tensors out = through_rows(format, {x, v}, {1, 0});
  EXPECT_EQ(out.as<float>(0), (std::vector<float>{2, 4, 6, 1, 6, 7}));
  EXPECT_EQ(out.as<float>(1), (std::vector<float>{4, 0, 2, 0, 1, 2, 0, 1}));
  EXPECT_EQ(out.as<float>(3), (std::vector<float>{4, 6}));
}

TEST(RowFormat, RefusesDifferentMultiplicities) {
  const Column fixed = make_fixed_width_column(Type::fixed_list({TypeKind::kFloat32}, 3), 1, heap_pool());
  const FeatureSpec mixed{{{.name = "g", .variables = {"v", "f"}, .pad = 3}}};
  EXPECT_THROW(RowFormat(mixed, schema_of({{"v", jagged({{1, 2, 3}})}, {"f", fixed}})), SchemaError);
  const Column a = jagged({{1, 2}, {3}});
  const Column b = jagged({{1, 2}, {3, 4}});
  const FeatureSpec spec{{{.name = "g", .variables = {"a", "b"}, .pad = 3}}};
  const RowFormat format(spec, schema_of({{"a", a}, {"b", b}}));
  EXPECT_THROW(RowWriter(format, {a, b}, heap_pool()), SchemaError);
}

}  // namespace
}  // namespace sapwood
