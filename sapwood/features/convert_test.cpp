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

}  // namespace
}  // namespace sapwood
