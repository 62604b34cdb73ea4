#include "sapwood/features/convert.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

namespace sapwood {
namespace {

template <class To, class From>
std::vector<To> convert(const std::vector<From>& values, TypeKind kind, DType dtype, size_t stride = 1) {
  std::vector<To> out(values.size() / stride);
  convert_values(std::as_bytes(std::span(values)).data(), kind, stride,
                 std::as_writable_bytes(std::span(out)).data(), dtype, out.size());
  return out;
}

TEST(ConvertValues, KeepsIntegersExact) {
  const std::vector<int64_t> values{(int64_t{1} << 24) + 1, -((int64_t{1} << 53) + 1)};
  EXPECT_EQ(convert<int64_t>(values, TypeKind::kInt64, DType::kInt64), values);
}

TEST(ConvertValues, SaturatesWhatDoesNotFit) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const std::vector<double> values{1.9, -1.9, 3e9, -3e9, kInf, -kInf, std::nan("")};
  EXPECT_EQ(convert<int32_t>(values, TypeKind::kFloat64, DType::kInt32),
            (std::vector<int32_t>{1, -1, INT32_MAX, INT32_MIN, INT32_MAX, INT32_MIN, 0}));
  EXPECT_EQ(convert<int64_t>(values, TypeKind::kFloat64, DType::kInt64),
            (std::vector<int64_t>{1, -1, 3000000000, -3000000000, INT64_MAX, INT64_MIN, 0}));
  EXPECT_EQ(convert<int64_t>(std::vector<uint64_t>{UINT64_MAX, 7}, TypeKind::kUInt64, DType::kInt64),
            (std::vector<int64_t>{INT64_MAX, 7}));
}

TEST(ConvertValues, StepsOverOtherElements) {
  const std::vector<int16_t> values{1, -2, 3, -4, 5, -6};
  EXPECT_EQ(convert<float>(values, TypeKind::kInt16, DType::kFloat32, 2), (std::vector<float>{1, 3, 5}));
}

TEST(ConvertValues, ToBoolIsNotZero) {
  const std::vector<float> values{0, -0.0f, 0.5f, std::nanf("")};
  EXPECT_EQ(convert<uint8_t>(values, TypeKind::kFloat32, DType::kBool), (std::vector<uint8_t>{0, 0, 1, 1}));
}

using Halves = std::vector<uint16_t>;

TEST(ConvertValues, RoundsToHalvesOnce) {
  const std::vector<double> doubles{1,     -2.5,    1 + 0x1p-11, 1 + 0x1p-11 + 0x1p-40,
                                    70000, 0x1p-24, std::nan("")};
  EXPECT_EQ(convert<uint16_t>(doubles, TypeKind::kFloat64, DType::kFloat16),
            (Halves{0x3c00, 0xc100, 0x3c00, 0x3c01, 0x7c00, 0x0001, 0x7e00}));
  EXPECT_EQ(convert<uint16_t>(doubles, TypeKind::kFloat64, DType::kBFloat16),
            (Halves{0x3f80, 0xc020, 0x3f80, 0x3f80, 0x4789, 0x3380, 0x7fc0}));
  const std::vector<float> floats{1, -2.5, 1 + 0x1p-11f, 3e38f};
  EXPECT_EQ(convert<uint16_t>(floats, TypeKind::kFloat32, DType::kFloat16),
            (Halves{0x3c00, 0xc100, 0x3c00, 0x7c00}));
  EXPECT_EQ(convert<uint16_t>(floats, TypeKind::kFloat32, DType::kBFloat16, 2), (Halves{0x3f80, 0x3f80}));
}

// Integers between two float64, the lower of which lies in the middle of two bfloat16.
TEST(ConvertValues, RoundsLargeIntegersToHalvesOnce) {
  constexpr int64_t kMiddle = (int64_t{1} << 62) + (int64_t{1} << 54);
  EXPECT_EQ(
      convert<uint16_t>(std::vector<int64_t>{kMiddle - 1, kMiddle, kMiddle + 1, -kMiddle - 1, INT64_MIN, 257},
                        TypeKind::kInt64, DType::kBFloat16),
      (Halves{0x5e80, 0x5e80, 0x5e81, 0xde81, 0xdf00, 0x4380}));
  EXPECT_EQ(convert<uint16_t>(std::vector<uint64_t>{UINT64_MAX, 3}, TypeKind::kUInt64, DType::kBFloat16),
            (Halves{0x5f80, 0x4040}));
  EXPECT_EQ(convert<uint16_t>(std::vector<uint64_t>{UINT64_MAX, 2049, 3}, TypeKind::kUInt64, DType::kFloat16),
            (Halves{0x7c00, 0x6800, 0x4200}));
}

TEST(ConvertValues, ManyHalvesOfAnyKind) {
  std::vector<int16_t> values(1000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int16_t>(i);
  const auto all = convert<uint16_t>(values, TypeKind::kInt16, DType::kFloat16);
  const auto every_third = convert<uint16_t>(values, TypeKind::kInt16, DType::kFloat16, 3);
  for (size_t i = 0; i < every_third.size(); ++i) ASSERT_EQ(every_third[i], all[3 * i]);
  EXPECT_EQ(all[999], 0x63ce);
  Halves filled(700);
  fill_elements(std::as_writable_bytes(std::span(filled)).data(), DType::kFloat16, -0.1, filled.size());
  EXPECT_EQ(filled, Halves(700, 0xae66));
}

}  // namespace
}  // namespace sapwood
