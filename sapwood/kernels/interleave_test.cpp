#include "sapwood/kernels/interleave.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

namespace sapwood::kernels {
namespace {

TEST(Interleave, AgreesWithItsDefinition) {
  std::mt19937 random(3);
  for (const size_t size : {1, 2, 4, 8}) {
    for (const size_t columns : {1, 2, 3, 4, 5, 7, 8, 28, 29}) {
      for (const size_t count : {0, 1, 3, 4, 5, 63, 64}) {
        std::vector<std::vector<std::byte>> data;
        std::vector<const std::byte*> pointers;
        for (size_t c = 0; c < columns; ++c) {
          auto& column = data.emplace_back(count * size + 1);
          for (std::byte& byte : column) byte = static_cast<std::byte>(random());
        }
        for (const auto& column : data) pointers.push_back(column.data() + 1);  // unaligned
        const size_t row_bytes = columns * size;
        std::vector<std::byte> out(count * row_bytes + 1);
        interleave(pointers.data(), columns, count, size, out.data() + 1);
        // Rows in reverse order, two bytes apart.
        std::vector<std::byte> places(count * (row_bytes + 2) + 1);
        std::vector<std::byte*> rows;
        for (size_t i = count; i > 0; --i) rows.push_back(places.data() + (i - 1) * (row_bytes + 2));
        scatter(pointers.data(), columns, count, size, rows.data(), 1);
        for (size_t i = 0; i < count; ++i) {
          for (size_t c = 0; c < columns; ++c) {
            const std::byte* value = pointers[c] + i * size;
            ASSERT_EQ(std::memcmp(out.data() + 1 + i * row_bytes + c * size, value, size), 0);
            ASSERT_EQ(std::memcmp(rows[i] + 1 + c * size, value, size), 0);
          }
          ASSERT_EQ(rows[i][0], std::byte{0});
          ASSERT_EQ(rows[i][row_bytes + 1], std::byte{0});
        }
      }
    }
  }
}

}  // namespace
}  // namespace sapwood::kernels
