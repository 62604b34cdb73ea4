#include "sapwood/kernels/decode.h"

#include <cstring>

#include "sapwood/kernels/decode_scalar.h"
#include "sapwood/kernels/element_size.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sapwood/kernels/decode.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h: it is read again for every target.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sapwood::kernels {
namespace HWY_NAMESPACE {
#if HWY_TARGET == HWY_SCALAR

// A processor without what Highway asks for: the scalar twins do it.
using scalar::byte_swap;
using scalar::delta_decode;
using scalar::pack_bits;
using scalar::unpack_bits;
using scalar::unsplit;
using scalar::widen_offsets;
using scalar::zigzag_decode;

#else

namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Every loop takes whole vectors. What remains is done by the last whole vector of the array, where writing
// some elements again does no harm, or else by the scalar twin.

HWY_INLINE const uint8_t* octets(const std::byte* bytes) {
  return static_cast<const uint8_t*>(static_cast<const void*>(bytes));
}
HWY_INLINE uint8_t* octets(std::byte* bytes) { return static_cast<uint8_t*>(static_cast<void*>(bytes)); }

using Octets = hn::ScalableTag<uint8_t>;
template <class T>
using Elements = hn::Repartition<T, Octets>;

void byte_swap(const std::byte* in, std::byte* out, size_t count, size_t element_size) {
  // Places of the bytes of 16 after the swap, for elements of 2, 4 and 8 bytes.
  alignas(16) static constexpr uint8_t kPlaces[3][16] = {
      {1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14},
      {3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12},
      {7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8},
  };
  const Octets d;
  const size_t lanes = hn::Lanes(d);
  const auto places = hn::LoadDup128(d, kPlaces[element_size == 2 ? 0 : element_size == 4 ? 1 : 2]);
  const size_t size = count * element_size;
  if (size < lanes) return scalar::byte_swap(in, out, count, element_size);
  const auto swapped = [&](size_t at)
                           HWY_ATTR { return hn::TableLookupBytes(hn::LoadU(d, octets(in) + at), places); };
  const auto last = swapped(size - lanes);  // Before it may have been swapped in place.
  size_t done = 0;
  for (; size - done >= 2 * lanes; done += 2 * lanes) {
    const auto second = swapped(done + lanes);
    hn::StoreU(swapped(done), d, octets(out) + done);
    hn::StoreU(second, d, octets(out) + done + lanes);
  }
  if (size - done >= lanes) hn::StoreU(swapped(done), d, octets(out) + done);
  hn::StoreU(last, d, octets(out) + size - lanes);
}

#if HWY_HAVE_SCALABLE || HWY_MAX_BYTES < 32
using Block = hn::CappedTag<uint8_t, 16>;
#else
using Block = hn::FixedTag<uint8_t, 32>;
#endif

// Stores vectors whose 16-byte halves lie 128 bytes apart in the output.
template <class V>
HWY_INLINE void store_halves(V v, std::byte* out) {
  const Block d;
  const auto bytes = hn::BitCast(d, v);
#if HWY_HAVE_SCALABLE || HWY_MAX_BYTES < 32
  hn::StoreU(bytes, d, octets(out));
#else
  const hn::Half<Block> half;
  hn::StoreU(hn::LowerHalf(half, bytes), half, octets(out));
  hn::StoreU(hn::UpperHalf(half, bytes), half, octets(out) + 128);
#endif
}

// Joins two vectors of pairs of bytes with two more, then those with four more: four elements of 8 bytes a
// time.
template <class V>
HWY_INLINE void join_pairs(V p01, V p23, V p45, V p67, std::byte* out) {
  const hn::Repartition<uint16_t, Block> d16;
  const hn::Repartition<uint32_t, Block> d32;
  const auto low_0123 = hn::BitCast(d32, hn::InterleaveLower(d16, p01, p23));
  const auto high_0123 = hn::BitCast(d32, hn::InterleaveUpper(d16, p01, p23));
  const auto low_4567 = hn::BitCast(d32, hn::InterleaveLower(d16, p45, p67));
  const auto high_4567 = hn::BitCast(d32, hn::InterleaveUpper(d16, p45, p67));
  store_halves(hn::InterleaveLower(d32, low_0123, low_4567), out);
  store_halves(hn::InterleaveUpper(d32, low_0123, low_4567), out + 16);
  store_halves(hn::InterleaveLower(d32, high_0123, high_4567), out + 32);
  store_halves(hn::InterleaveUpper(d32, high_0123, high_4567), out + 48);
}

// The bytes of one vector of elements, put together.
template <size_t element_size>
struct Unsplit {
  static constexpr Octets d{};
  template <class Plane>
  static HWY_INLINE void join(const Plane& plane, std::byte* out) {
    if constexpr (element_size == 2) {
      hn::StoreInterleaved2(plane(0), plane(1), d, octets(out));
    } else {
      hn::StoreInterleaved4(plane(0), plane(1), plane(2), plane(3), d, octets(out));
    }
  }
};

template <>
struct Unsplit<8> {
  static constexpr Block d{};
  template <class Plane>
  static HWY_INLINE void join(const Plane& plane, std::byte* out) {
    const hn::Repartition<uint16_t, Block> d16;
    const auto b0 = plane(0), b1 = plane(1), b2 = plane(2), b3 = plane(3);
    const auto b4 = plane(4), b5 = plane(5), b6 = plane(6), b7 = plane(7);
    join_pairs(hn::BitCast(d16, hn::InterleaveLower(d, b0, b1)),
               hn::BitCast(d16, hn::InterleaveLower(d, b2, b3)),
               hn::BitCast(d16, hn::InterleaveLower(d, b4, b5)),
               hn::BitCast(d16, hn::InterleaveLower(d, b6, b7)), out);
    join_pairs(hn::BitCast(d16, hn::InterleaveUpper(d, b0, b1)),
               hn::BitCast(d16, hn::InterleaveUpper(d, b2, b3)),
               hn::BitCast(d16, hn::InterleaveUpper(d, b4, b5)),
               hn::BitCast(d16, hn::InterleaveUpper(d, b6, b7)), out + 64);
  }
};

template <size_t element_size>
void unsplit_as(const std::byte* in, std::byte* out, size_t count) {
  const auto d = Unsplit<element_size>::d;
  const size_t lanes = hn::Lanes(d);
  if (count < lanes) return scalar::unsplit(in, out, count, element_size);
  const auto unsplit_at = [&](size_t i) HWY_ATTR {
    const auto plane = [&](size_t byte) HWY_ATTR { return hn::LoadU(d, octets(in) + byte * count + i); };
    Unsplit<element_size>::join(plane, out + i * element_size);
  };
  for (size_t i = 0; count - i >= lanes; i += lanes) unsplit_at(i);
  unsplit_at(count - lanes);
}

void unsplit(const std::byte* in, std::byte* out, size_t count, size_t element_size) {
  if (element_size == 2) return unsplit_as<2>(in, out, count);
  if (element_size == 4) return unsplit_as<4>(in, out, count);
  unsplit_as<8>(in, out, count);
}

template <class T>
void zigzag_decode_as(std::byte* values, size_t count) {
  const Octets bytes;
  const Elements<T> d;
  const size_t lanes = hn::Lanes(d);
  const auto one = hn::Set(d, T{1});
  size_t i = 0;
  for (; count - i >= lanes; i += lanes) {
    uint8_t* at = octets(values) + i * sizeof(T);
    const auto v = hn::BitCast(d, hn::LoadU(bytes, at));
    const auto decoded = hn::Xor(hn::ShiftRight<1>(v), hn::Sub(hn::Zero(d), hn::And(v, one)));
    hn::StoreU(hn::BitCast(bytes, decoded), bytes, at);
  }
  scalar::zigzag_decode(values + i * sizeof(T), count - i, sizeof(T));
}

void zigzag_decode(std::byte* values, size_t count, size_t element_size) {
  with_element(element_size, [=]<class T>(T) { zigzag_decode_as<T>(values, count); });
}

void delta_decode(std::byte* values, size_t count, size_t element_size) {
  // The others gain nothing: an addition for every eight bytes keeps up with memory, and small ones are rare.
  if (element_size != 4) return scalar::delta_decode(values, count, element_size);
  const hn::CappedTag<uint8_t, 16> bytes;
  const hn::Repartition<uint32_t, decltype(bytes)> d;
  auto before = hn::Zero(d);  // the sum of all earlier elements
  size_t i = 0;
  for (; count - i >= 4; i += 4) {
    uint8_t* at = octets(values) + i * 4;
    auto sums = hn::BitCast(d, hn::LoadU(bytes, at));
    sums = hn::Add(sums, hn::ShiftLeftLanes<1>(d, sums));
    sums = hn::Add(sums, hn::ShiftLeftLanes<2>(d, sums));
    hn::StoreU(hn::BitCast(bytes, hn::Add(sums, before)), bytes, at);
    before = hn::Add(before, hn::Broadcast<3>(sums));
  }
  uint32_t sum = hn::GetLane(before);
  for (; i < count; ++i) {
    uint32_t difference;
    std::memcpy(&difference, values + i * 4, 4);
    sum += difference;
    std::memcpy(values + i * 4, &sum, 4);
  }
}

// Bits are loaded and stored through masks, which may touch 8 bytes at a time.
constexpr size_t kMaskBytes = 8;

void unpack_bits(const std::byte* in, std::byte* out, size_t count) {
  const Octets d;
  const size_t lanes = hn::Lanes(d);
  const auto one = hn::Set(d, uint8_t{1});
  size_t i = 0;
  for (; count - i >= lanes && count / 8 - i / 8 >= kMaskBytes; i += lanes) {
    hn::StoreU(hn::IfThenElseZero(hn::LoadMaskBits(d, octets(in) + i / 8), one), d, octets(out) + i);
  }
  scalar::unpack_bits(in + i / 8, out + i, count - i);
}

void pack_bits(const std::byte* in, std::byte* out, size_t count) {
  const Octets d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; count - i >= lanes && count / 8 - i / 8 >= kMaskBytes; i += lanes) {
    const auto set = hn::Ne(hn::LoadU(d, octets(in) + i), hn::Zero(d));
    hn::StoreMaskBits(d, set, octets(out) + i / 8);
  }
  scalar::pack_bits(in + i, out + i / 8, count - i);
}

void widen_offsets(const uint32_t* in, int64_t* out, size_t count, int64_t base) {
  const hn::ScalableTag<uint64_t> d;
  const hn::Rebind<uint32_t, decltype(d)> narrow;
  const size_t lanes = hn::Lanes(d);
  const auto bases = hn::Set(d, static_cast<uint64_t>(base));
  auto* const wide = static_cast<uint64_t*>(static_cast<void*>(out));
  size_t i = 0;
  for (; count - i >= lanes; i += lanes) {
    hn::StoreU(hn::Add(hn::PromoteTo(d, hn::LoadU(narrow, in + i)), bases), d, wide + i);
  }
  scalar::widen_offsets(in + i, out + i, count - i, base);
}

}  // namespace

#endif
}  // namespace HWY_NAMESPACE
}  // namespace sapwood::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sapwood::kernels {
namespace {

HWY_EXPORT(byte_swap);
HWY_EXPORT(unsplit);
HWY_EXPORT(zigzag_decode);
HWY_EXPORT(delta_decode);
HWY_EXPORT(unpack_bits);
HWY_EXPORT(pack_bits);
HWY_EXPORT(widen_offsets);

// Fewer elements than this are done before a vector loop has started.
constexpr size_t kFew = 4;

}  // namespace

void byte_swap(const std::byte* in, std::byte* out, size_t count, size_t element_size) {
  with_element(element_size, [=]<class T>(T) {
    if (sizeof(T) == 1) {
      if (count != 0 && in != out) std::memcpy(out, in, count);
    } else if (count < kFew) {
      scalar::byte_swap(in, out, count, sizeof(T));
    } else {
      HWY_DYNAMIC_DISPATCH(byte_swap)(in, out, count, sizeof(T));
    }
  });
}

void unsplit(const std::byte* in, std::byte* out, size_t count, size_t element_size) {
  with_element(element_size, [=]<class T>(T) {
    if (sizeof(T) == 1) {
      if (count != 0) std::memcpy(out, in, count);
    } else {
      HWY_DYNAMIC_DISPATCH(unsplit)(in, out, count, sizeof(T));
    }
  });
}

void zigzag_decode(std::byte* values, size_t count, size_t element_size) {
  HWY_DYNAMIC_DISPATCH(zigzag_decode)(values, count, element_size);
}

void delta_decode(std::byte* values, size_t count, size_t element_size) {
  HWY_DYNAMIC_DISPATCH(delta_decode)(values, count, element_size);
}

void unpack_bits(const std::byte* in, std::byte* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(unpack_bits)(in, out, count);
}

void pack_bits(const std::byte* in, std::byte* out, size_t count) {
  HWY_DYNAMIC_DISPATCH(pack_bits)(in, out, count);
}

void widen_offsets(const uint32_t* in, int64_t* out, size_t count, int64_t base) {
  HWY_DYNAMIC_DISPATCH(widen_offsets)(in, out, count, base);
}

}  // namespace sapwood::kernels
#endif
