#include "sapwood/kernels/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include "sapwood/base/error.h"
#include "sapwood/kernels/half_scalar.h"

namespace sapwood::kernels {
namespace {

using Loop = void (*)(const std::byte*, std::byte*, size_t);
using Halves = std::vector<uint16_t>;

template <class T>
Halves run(Loop loop, const std::vector<T>& values) {
  Halves result(values.size());
  loop(std::as_bytes(std::span(values)).data(), std::as_writable_bytes(std::span(result)).data(),
       values.size());
  return result;
}

// What the bits stand for, by the formats' definition.
double float16_value(uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  const double sign = bits >> 15 != 0 ? -1 : 1;
  if (exponent == 31) return fraction != 0 ? std::nan("") : sign * HUGE_VAL;
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}
double bfloat16_value(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

struct Kind {
  const char* name;
  double (*value)(uint16_t);
  uint16_t infinity;
  uint16_t nan;
  Loop from32, from64, twin32, twin64;
};
const Kind kKinds[] = {
    {"float16", float16_value, 0x7c00, 0x7e00, float32_to_float16, float64_to_float16,
     scalar::float32_to_float16, scalar::float64_to_float16},
    {"bfloat16", bfloat16_value, 0x7f80, 0x7fc0, float32_to_bfloat16, float64_to_bfloat16,
     scalar::float32_to_bfloat16, scalar::float64_to_bfloat16},
};

template <class T>
void expect_same(const Kind& kind, const std::vector<T>& values) {
  const Halves given = run(sizeof(T) == 4 ? kind.from32 : kind.from64, values);
  const Halves wanted = run(sizeof(T) == 4 ? kind.twin32 : kind.twin64, values);
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(given[i], wanted[i]) << kind.name << " of " << std::hexfloat << values[i];
  }
}

TEST(Half, GivesBackEveryPattern) {
  for (const Kind& kind : kKinds) {
    std::vector<double> values;
    Halves wanted;
    for (uint32_t bits = 0; bits < 65536; ++bits) {
      values.push_back(kind.value(static_cast<uint16_t>(bits)));
      const uint32_t nan = kind.nan | (std::signbit(values.back()) ? 0x8000u : 0u);
      wanted.push_back(static_cast<uint16_t>(std::isnan(values.back()) ? nan : bits));
    }
    const std::vector<float> floats(values.begin(), values.end());
    for (const auto& given : {run(kind.from32, floats), run(kind.from64, values), run(kind.twin32, floats),
                              run(kind.twin64, values)}) {
      EXPECT_EQ(given, wanted) << kind.name;
    }
  }
}

// Around the middle between each number and the next one, the last of which is where infinity begins.
TEST(Half, RoundsToTheNearestAndToEven) {
  for (const Kind& kind : kKinds) {
    for (uint32_t low = 0; low < kind.infinity; ++low) {
      const double a = kind.value(static_cast<uint16_t>(low));
      double b = kind.value(static_cast<uint16_t>(low + 1));
      if (std::isinf(b)) b = 2 * a - kind.value(static_cast<uint16_t>(low - 1));
      const double middle = a + (b - a) / 2;
      const auto even = static_cast<uint16_t>(low + (low & 1));
      const auto high = static_cast<uint16_t>(low + 1);
      const std::vector<double> doubles{middle, std::nextafter(middle, 0), std::nextafter(middle, HUGE_VAL),
                                        -middle};
      const auto minus_even = static_cast<uint16_t>(even | 0x8000);
      const Halves wanted{even, static_cast<uint16_t>(low), high, minus_even};
      ASSERT_EQ(run(kind.twin64, doubles), wanted) << kind.name << " between " << low << " and the next";
      expect_same(kind, std::vector<double>(8, doubles[low % 4]));
      const auto single = static_cast<float>(middle);
      if (static_cast<double>(single) != middle) continue;  // below all that float32 has
      const std::vector<float> floats{single, std::nextafter(single, 0.0f), std::nextafter(single, HUGE_VALF),
                                      -single};
      ASSERT_EQ(run(kind.twin32, floats), wanted) << kind.name << " between " << low << " and the next";
      expect_same(kind, std::vector<float>(8, floats[low % 4]));
    }
  }
}

// A float64 just above the middle, which a float32 between would move onto it.
TEST(Half, RoundsFloat64Once) {
  const std::vector<double> values(9, 1 + 0x1p-11 + 0x1p-40);
  EXPECT_EQ(run(float64_to_float16, values), Halves(9, 0x3c01));
  const std::vector<double> brain(9, 1 + 0x1p-8 + 0x1p-40);
  EXPECT_EQ(run(float64_to_bfloat16, brain), Halves(9, 0x3f81));
  const std::vector<double> subnormal(9, 0x1p-134 + 0x1p-180);
  EXPECT_EQ(run(float64_to_bfloat16, subnormal), Halves(9, 1));
}

TEST(Half, AgreesWithItsTwinOnRandomBits) {
  std::mt19937_64 random(5);
  std::vector<float> floats;
  std::vector<double> doubles;
  for (int i = 0; i < 300000; ++i) {
    floats.push_back(std::bit_cast<float>(static_cast<uint32_t>(random())));
    doubles.push_back(std::bit_cast<double>(random()));
    // Exponents that the results have, and a little beyond.
    const double scaled =
        std::ldexp(1 + static_cast<double>(random() >> 11) * 0x1p-53, static_cast<int>(random() % 300) - 150);
    doubles.push_back(random() % 2 != 0 ? scaled : -scaled);
    floats.push_back(static_cast<float>(doubles.back()));
  }
  using Limits = std::numeric_limits<double>;
  for (const double edge : {0.0, -0.0, Limits::denorm_min(), Limits::min(), Limits::max(), 3.5e38, 65519.0,
                            65520.0, 65536.0, Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(),
                            -Limits::quiet_NaN(), std::bit_cast<double>(0x7ff0000000000001)}) {
    doubles.insert(doubles.end(), 5, edge);
    floats.insert(floats.end(), 5, static_cast<float>(edge));
  }
  for (const Kind& kind : kKinds) {
    expect_same(kind, floats);
    expect_same(kind, doubles);
  }
}

TEST(Half, AnyLengthAtAnyAddress) {
  std::mt19937 random(6);
  std::vector<std::byte> in(8 * 80 + 8);
  for (std::byte& byte : in) byte = static_cast<std::byte>(random());
  for (const Kind& kind : kKinds) {
    for (const auto& [loop, twin, size] :
         {std::tuple{kind.from32, kind.twin32, size_t{4}}, std::tuple{kind.from64, kind.twin64, size_t{8}}}) {
      for (size_t count = 0; count <= 80; ++count) {
        for (const size_t shift : {0, 1, 3}) {
          std::vector<std::byte> out(shift + count * 2 + 64, std::byte{0xa5});
          std::vector<std::byte> wanted = out;
          const std::vector<std::byte> content(
              in.begin(), in.begin() + static_cast<std::ptrdiff_t>(shift + count * size));
          loop(content.data() + shift, out.data() + shift, count);
          twin(content.data() + shift, wanted.data() + shift, count);
          ASSERT_EQ(out, wanted) << kind.name << ' ' << count << " of " << size << " bytes at " << shift;
        }
      }
    }
  }
}

}  // namespace
}  // namespace sapwood::kernels
