#include "sapwood/features/transform.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace sapwood {
namespace {

using Kind = Transform::Kind;

const double kNan = std::nan("");

std::vector<double> transformed(std::vector<double> values, const std::vector<Transform>& transforms) {
  apply_transforms(transforms, values);
  return values;
}

TEST(Transforms, DoWhatTheySay) {
  EXPECT_EQ(transformed({3, 5}, {{Kind::kAffine, 1, 0.5}}), (std::vector<double>{1, 2}));
  EXPECT_EQ(transformed({3, 5}, {{Kind::kStandard, 1, 4}}), (std::vector<double>{0.5, 1}));
  EXPECT_EQ(transformed({3, 5}, {{Kind::kStandard, 3, 0}}), (std::vector<double>{0, 2}));
  EXPECT_EQ(transformed({3, 5}, {{Kind::kMinMax, 1, 5}}), (std::vector<double>{0.5, 1}));
  EXPECT_EQ(transformed({3, 5}, {{Kind::kMinMax, 3, 3}}), (std::vector<double>{3, 5}));
  EXPECT_EQ(transformed({1, std::exp(2.0)}, {{Kind::kLog}}),
            (std::vector<double>{0, std::log(std::exp(2.0))}));
  EXPECT_EQ(transformed({-7, 2, 9}, {{Kind::kClip, -1, 3}}), (std::vector<double>{-1, 2, 3}));
  EXPECT_EQ(transformed({kNan, 2}, {{Kind::kReplaceNan, -3}}), (std::vector<double>{-3, 2}));
  EXPECT_EQ(transformed({kNan, 9}, {{Kind::kReplaceNan, 8}, {Kind::kAffine, 1, 2}, {Kind::kClip, 0, 15}}),
            (std::vector<double>{14, 15}));
}

TEST(Transforms, NanStaysThroughAClip) {
  EXPECT_TRUE(std::isnan(transformed({kNan}, {{Kind::kClip, -1, 3}})[0]));
  EXPECT_TRUE(std::signbit(transformed({-0.0}, {{Kind::kClip, 0, 3}})[0]));  // as NumPy has it
}

TEST(Transforms, SameBitsInTilesAndOneByOne) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal(0, 100);
  std::vector<float> values(3 * kTransformTile + 17);
  for (float& value : values) value = static_cast<float>(normal(random));
  const std::vector<Transform> transforms{
      {Kind::kClip, -150, 150}, {Kind::kAffine, 0.1, 1.0 / 3}, {Kind::kStandard, 0.7, 1.3}};
  for (const size_t stride : {size_t{1}, size_t{3}}) {
    const size_t count = values.size() / stride;
    std::vector<float> out(count);
    transform_values(std::as_bytes(std::span(values)).data(), TypeKind::kFloat32, stride, transforms,
                     std::as_writable_bytes(std::span(out)).data(), DType::kFloat32, count);
    for (size_t i = 0; i < count; ++i) {
      const double x = values[i * stride];
      const double clipped = std::min(std::max(x, -150.0), 150.0);
      ASSERT_EQ(out[i], static_cast<float>(((clipped - 0.1) * (1.0 / 3) - 0.7) / 1.3));
    }
  }
}

TEST(Transforms, ConvertToTheTensorsType) {
  const std::vector<int32_t> values{1, 2, 1000000000};
  std::vector<int32_t> out(3);
  const std::vector<Transform> transforms{{Kind::kAffine, 0, 2.9}};
  transform_values(std::as_bytes(std::span(values)).data(), TypeKind::kInt32, 1, transforms,
                   std::as_writable_bytes(std::span(out)).data(), DType::kInt32, 3);
  EXPECT_EQ(out, (std::vector<int32_t>{2, 5, std::numeric_limits<int32_t>::max()}));
}

}  // namespace
}  // namespace sapwood
