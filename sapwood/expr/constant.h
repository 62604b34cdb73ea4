#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "sapwood/column/type.h"

namespace sapwood::expr {

/// The kind whose values a C++ type holds: the four that formulas compute with. A bool is a byte, 0 or 1.
template <class T>
constexpr TypeKind kind_of() {
  if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, uint8_t>) {
    return TypeKind::kBool;
  } else if constexpr (std::is_same_v<T, int64_t>) {
    return TypeKind::kInt64;
  } else if constexpr (std::is_same_v<T, float>) {
    return TypeKind::kFloat32;
  } else {
    static_assert(std::is_same_v<T, double>);
    return TypeKind::kFloat64;
  }
}

/// One value of a kind that formulas compute with. Equal when the bits are.
struct Constant {
  TypeKind kind = TypeKind::kBool;
  alignas(8) std::array<std::byte, 8> bytes{};

  template <class T>
  static Constant of(T value) {
    Constant constant{.kind = kind_of<T>()};
    std::memcpy(constant.bytes.data(), &value, sizeof(value));
    return constant;
  }
  template <class T>
  T as() const {
    T value;
    std::memcpy(&value, bytes.data(), sizeof(value));
    return value;
  }
  const void* data() const { return bytes.data(); }
  void* data() { return bytes.data(); }
  auto operator<=>(const Constant&) const = default;
};

}  // namespace sapwood::expr
