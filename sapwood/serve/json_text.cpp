#include "sapwood/serve/json_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>
#include <type_traits>

namespace sapwood::serve {
namespace {

constexpr size_t kLongestNumber = 32;

template <class T>
char* write_number(char* out, T value) {
  if constexpr (std::is_floating_point_v<T>) {
    constexpr std::string_view kNull = "null";
    if (!std::isfinite(value)) return std::ranges::copy(kNull, out).out;
  }
  return std::to_chars(out, out + kLongestNumber, value).ptr;
}

template <class T>
void append_all(std::string& out, std::span<const std::byte> bytes) {
  const size_t count = bytes.size() / sizeof(T);
  const size_t start = out.size();
  out.resize(start + count * (kLongestNumber + 1));
  char* const begin = out.data() + start;
  char* end = begin;
  for (size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    if (i != 0) *end++ = ',';
    end = write_number(end, value);
  }
  out.resize(start + static_cast<size_t>(end - begin));
}

void append_bools(std::string& out, std::span<const std::byte> bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i != 0) out += ',';
    out += bytes[i] == std::byte{0} ? "false" : "true";
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_json_numbers(std::string& out, DType dtype, std::span<const std::byte> bytes) {
  switch (dtype) {
    case DType::kBool:
      return append_bools(out, bytes);
    case DType::kInt32:
      return append_all<int32_t>(out, bytes);
    case DType::kInt64:
      return append_all<int64_t>(out, bytes);
    case DType::kFloat32:
      return append_all<float>(out, bytes);
    case DType::kFloat64:
      return append_all<double>(out, bytes);
    case DType::kFloat16:
    case DType::kBFloat16:
      break;  // no model has them
  }
}

void append_json_tensor(std::string& out, DType dtype, std::span<const int64_t> shape,
                        std::span<const std::byte> bytes) {
  if (shape.empty()) return append_json_numbers(out, dtype, bytes);
  out += '[';
  if (shape.size() == 1) {
    append_json_numbers(out, dtype, bytes);
  } else {
    const size_t size = shape[0] == 0 ? 0 : bytes.size() / static_cast<size_t>(shape[0]);
    for (size_t i = 0; i < static_cast<size_t>(shape[0]); ++i) {
      if (i != 0) out += ',';
      append_json_tensor(out, dtype, shape.subspan(1), bytes.subspan(i * size, size));
    }
  }
  out += ']';
}

void append_json_number(std::string& out, int64_t number) {
  std::array<char, kLongestNumber> digits{};
  out.append(digits.data(), write_number(digits.data(), number));
}

}  // namespace sapwood::serve
