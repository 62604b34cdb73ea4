#include "sapwood/features/apply.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sapwood/base/error.h"
#include "sapwood/features/test_columns.h"

namespace sapwood {
namespace {

using Kind = Transform::Kind;

template <class T>
std::vector<T> values_of(const Buffer& buffer) {
  const auto span = buffer.as<T>();
  return {span.begin(), span.end()};
}

TEST(MakeTensors, TransformsPadsAndMasks) {
  const Column x = numbers<int32_t>(TypeKind::kInt32, {1, 2});
  const Column v = jagged({{1, 2, 3}, {std::nanf("")}});
  FeatureSpec spec{{{.name = "x", .variables = {"x", {"twice", "x", {{Kind::kAffine, 0, 2}}}}},
                    {.name = "v",
                     .variables = {{"v", "v", {{Kind::kReplaceNan, 7}, {Kind::kStandard, 1, 2}}}},
                     .pad = 2,
                     .pad_value = 9,
                     .mask = Mask::kPadding}}};
  const Schema schema = schema_of({{"x", x}, {"v", v}});
  const RowFormat format(spec, schema);
  EXPECT_EQ(format.tensors()[0].channels, (std::vector<std::string>{"x", "twice"}));
  const auto tensors = make_tensors(format, {x, v}, heap_pool());
  ASSERT_EQ(tensors.size(), 3u);
  EXPECT_EQ(values_of<float>(tensors[0]), (std::vector<float>{1, 2, 2, 4}));
  EXPECT_EQ(values_of<float>(tensors[1]), (std::vector<float>{0, 0.5, 3, 9}));
  EXPECT_EQ(values_of<uint8_t>(tensors[2]), (std::vector<uint8_t>{0, 0, 0, 1}));

  spec.groups[1].mask = Mask::kNone;
  const auto unmasked = make_tensors(RowFormat(spec, schema), {x, v}, heap_pool());
  ASSERT_EQ(unmasked.size(), 2u);
  EXPECT_EQ(values_of<float>(unmasked[1]), values_of<float>(tensors[1]));
}

TEST(MakeTensors, GivesListsSlots) {
  const Column x = numbers<int32_t>(TypeKind::kInt32, {1, 2, 3});
  const Column v = jagged({{1, 2, 3}, {}, {5}});
  Variable slotted("v", "v", {{Kind::kAffine, 1, 2}});
  slotted.slots = 2;
  FeatureSpec spec{{{.name = "x", .variables = {"x", slotted, "x * 10"}, .pad_value = -1}}};
  const Schema schema = schema_of({{"x", x}, {"v", v}});
  const RowFormat format(spec, schema);
  ASSERT_EQ(format.tensors().size(), 2u);
  EXPECT_EQ(format.tensors()[0].channels, (std::vector<std::string>{"x", "v_0", "v_1", "x * 10"}));
  EXPECT_EQ(format.tensors()[1].name, "x_mask");
  EXPECT_EQ(format.tensors()[1].shape, std::vector<int64_t>{4});
  const auto tensors = make_tensors(format, {x, v}, heap_pool());
  EXPECT_EQ(values_of<float>(tensors[0]), (std::vector<float>{1, 0, 2, 10, 2, -1, -1, 20, 3, 8, -1, 30}));
  EXPECT_EQ(values_of<uint8_t>(tensors[1]), (std::vector<uint8_t>{1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 1}));

  spec.groups[0].mask = Mask::kNone;
  EXPECT_EQ(make_tensors(RowFormat(spec, schema), {x, v}, heap_pool()).size(), 1u);
  spec.groups[0].mask = Mask::kPadding;
  EXPECT_EQ(values_of<uint8_t>(make_tensors(RowFormat(spec, schema), {x, v}, heap_pool())[1]),
            (std::vector<uint8_t>{0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0}));
}

TEST(MakeTensors, PacksManyEntries) {
  std::vector<std::vector<float>> lists;
  std::vector<float> expected;
  std::vector<int32_t> offsets{0};
  for (int i = 0; i < 300; ++i) {
    lists.emplace_back(static_cast<size_t>(i % 5), static_cast<float>(i));
    for (int k = 0; k < std::min(i % 5, 3); ++k) {
      expected.push_back(static_cast<float>(i));
      expected.push_back(2 * static_cast<float>(i));
    }
    offsets.push_back(static_cast<int32_t>(expected.size() / 2));
  }
  const Column list = jagged(lists);
  const FeatureSpec spec{{{.name = "v", .variables = {"v", "v * 2"}, .pad = 3, .layout = Layout::kPacked}}};
  const RowFormat format(spec, schema_of({{"v", list}}));
  const auto tensors = make_tensors(format, {list}, heap_pool());
  ASSERT_EQ(tensors.size(), 3u);
  EXPECT_EQ(values_of<float>(tensors[0]), expected);
  EXPECT_EQ(values_of<int32_t>(tensors[1]), offsets);
  EXPECT_EQ(values_of<int32_t>(tensors[2]), std::vector<int32_t>{3});

  for (const auto& empty : {jagged({}), jagged({{}, {}})}) {
    const auto none = make_tensors(format, {empty}, heap_pool());
    EXPECT_EQ(none[0].size(), 0u);
    EXPECT_EQ(values_of<int32_t>(none[1]), std::vector<int32_t>(static_cast<size_t>(empty.length) + 1, 0));
    EXPECT_EQ(values_of<int32_t>(none[2]), std::vector<int32_t>{0});
  }
}

TEST(MakeTensors, OfHalves) {
  const Column x = numbers<float>(TypeKind::kFloat32, {1, -2.5});
  const Column v = jagged({{1, 2, 3}, {5}});
  Variable slotted("v", "v", {{Kind::kAffine, 0, 0.5}});
  slotted.slots = 2;
  const FeatureSpec spec{
      {{.name = "x", .variables = {"x", slotted}, .dtype = DType::kFloat16},
       {.name = "v", .variables = {"v"}, .pad = 2, .dtype = DType::kBFloat16, .pad_value = std::nan("")}}};
  const RowFormat format(spec, schema_of({{"x", x}, {"v", v}}));
  EXPECT_EQ(format.tensors()[0].dtype, DType::kFloat16);
  EXPECT_EQ(format.tensors()[1].dtype, DType::kBool);
  const auto tensors = make_tensors(format, {x, v}, heap_pool());
  EXPECT_EQ(values_of<uint16_t>(tensors[0]),
            (std::vector<uint16_t>{0x3c00, 0x3800, 0x3c00, 0xc100, 0x4100, 0x0000}));
  EXPECT_EQ(values_of<uint8_t>(tensors[1]), (std::vector<uint8_t>{1, 1, 1, 1, 1, 0}));
  EXPECT_EQ(values_of<uint16_t>(tensors[2]), (std::vector<uint16_t>{0x3f80, 0x4000, 0x40a0, 0x7fc0}));
}

TEST(MakeTensors, RefusesSlotsWhereThereAreNoLists) {
  const Column x = numbers<int32_t>(TypeKind::kInt32, {1});
  const Column v = jagged({{1}});
  Variable slotted("x");
  slotted.slots = 2;
  const Schema schema = schema_of({{"x", x}, {"v", v}});
  EXPECT_THROW(RowFormat({{{.name = "g", .variables = {slotted}}}}, schema), SchemaError);
  slotted.expression = "v";
  EXPECT_THROW(RowFormat({{{.name = "g", .variables = {slotted}, .pad = 3}}}, schema), ConfigError);
  slotted.slots = Variable::kFitSlots;
  EXPECT_THROW(RowFormat({{{.name = "g", .variables = {slotted}}}}, schema), ConfigError);
}

TEST(MakeTensors, ManyEntries) {
  std::vector<float> x;
  std::vector<std::vector<float>> lists;
  for (int i = 0; i < 300; ++i) {
    x.push_back(static_cast<float>(i));
    lists.emplace_back(static_cast<size_t>(i % 5), static_cast<float>(i));
  }
  const Column scalar = numbers(TypeKind::kFloat32, x);
  const Column list = jagged(lists);
  const FeatureSpec spec{{{.name = "v", .variables = {"v", "v * 2"}, .pad = 3},
                          {.name = "s", .variables = {"x", "x * 2"}, .squeeze = true}}};
  const RowFormat format(spec, schema_of({{"x", scalar}, {"v", list}}));
  EXPECT_EQ(format.columns(), (std::vector<std::string>{"v", "x"}));
  const auto tensors = make_tensors(format, {list, scalar}, heap_pool());
  const auto v = values_of<float>(tensors[0]);
  const auto s = values_of<float>(tensors[2]);
  for (size_t i = 0; i < 300; ++i) {
    const auto number = static_cast<float>(i);
    EXPECT_EQ(s[i * 2], number);
    EXPECT_EQ(s[i * 2 + 1], 2 * number);
    for (size_t k = 0; k < 3; ++k) {
      EXPECT_EQ(v[i * 6 + k], k < i % 5 ? number : 0);
      EXPECT_EQ(v[i * 6 + 3 + k], k < i % 5 ? 2 * number : 0);
    }
  }
  const auto none = make_tensors(format, {jagged({}), numbers<float>(TypeKind::kFloat32, {})}, heap_pool());
  EXPECT_EQ(none[0].size(), 0u);
}

TEST(MakeTensors, RefusesOtherColumns) {
  const Column x = numbers<float>(TypeKind::kFloat32, {1, 2});
  const Column y = numbers<float>(TypeKind::kFloat32, {1, 2, 3});
  const RowFormat format({{{.name = "f", .variables = {"x", "y"}}}}, schema_of({{"x", x}, {"y", y}}));
  EXPECT_THROW(make_tensors(format, {x}, heap_pool()), SchemaError);
  EXPECT_THROW(make_tensors(format, {x, y}, heap_pool()), SchemaError);
  EXPECT_THROW(make_tensors(format, {x, numbers<double>(TypeKind::kFloat64, {1, 2})}, heap_pool()),
               SchemaError);
}

}  // namespace
}  // namespace sapwood
