#include "sapwood/kernels/decode_scalar.h"

#include <cstring>

#include "sapwood/base/cursor.h"
#include "sapwood/kernels/element_size.h"

namespace sapwood::kernels::scalar {
namespace {

template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <class T>
void store(T value, std::byte* to) {
  std::memcpy(to, &value, sizeof(T));
}

}  // namespace

void byte_swap(const std::byte* in, std::byte* out, size_t count, size_t element_size) {
  with_element(element_size, [=]<class T>(T) {
    for (size_t i = 0; i < count; ++i) {
      store(detail::byte_swapped(load<T>(in + i * sizeof(T))), out + i * sizeof(T));
    }
  });
}

void unsplit(const std::byte* in, std::byte* out, size_t count, size_t element_size) {
  with_element(element_size, [=]<class T>(T) {
    for (size_t i = 0; i < count; ++i) {
      for (size_t byte = 0; byte < sizeof(T); ++byte) out[i * sizeof(T) + byte] = in[byte * count + i];
    }
  });
}

void zigzag_decode(std::byte* values, size_t count, size_t element_size) {
  with_element(element_size, [=]<class T>(T) {
    for (size_t i = 0; i < count; ++i) {
      const T value = load<T>(values + i * sizeof(T));
      store(static_cast<T>((value >> 1) ^ (T{0} - (value & T{1}))), values + i * sizeof(T));
    }
  });
}

void delta_decode(std::byte* values, size_t count, size_t element_size) {
  with_element(element_size, [=]<class T>(T) {
    T sum = 0;
    for (size_t i = 0; i < count; ++i) {
      sum = static_cast<T>(sum + load<T>(values + i * sizeof(T)));
      store(sum, values + i * sizeof(T));
    }
  });
}

void unpack_bits(const std::byte* in, std::byte* out, size_t count) {
  for (size_t i = 0; i < count; ++i) out[i] = in[i / 8] >> (i % 8) & std::byte{1};
}

void pack_bits(const std::byte* in, std::byte* out, size_t count) {
  for (size_t first = 0; first < count; first += 8) {
    std::byte packed{0};
    for (size_t bit = 0; bit < 8 && first + bit < count; ++bit) {
      if (in[first + bit] != std::byte{0}) packed |= std::byte{1} << bit;
    }
    out[first / 8] = packed;
  }
}

void widen_offsets(const uint32_t* in, int64_t* out, size_t count, int64_t base) {
  for (size_t i = 0; i < count; ++i) {
    uint32_t offset;
    std::memcpy(&offset, in + i, sizeof(offset));  // may be unaligned
    out[i] = base + offset;
  }
}

}  // namespace sapwood::kernels::scalar
