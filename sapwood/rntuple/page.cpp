#include "sapwood/rntuple/page.h"

#include <bit>
#include <cstring>
#include <span>

#include "sapwood/codec/decompress.h"
#include "sapwood/kernels/decode.h"

namespace sapwood::rntuple {
namespace {

// The page's bytes before encoding: `stored` itself when it is not compressed, else in the scratch.
Bytes decompressed(Bytes stored, size_t length, PageScratch& scratch) {
  if (stored.size() == length) return stored;
  const std::span<std::byte> packed = scratch.packed.get(length);
  codec::decompress(stored, packed);
  return packed;
}

float half_to_float(uint16_t half) {
  // Exponent and mantissa in a float's places, then the exponent's bias is corrected by a multiplication,
  // which takes denormals along.
  const uint32_t magnitude = static_cast<uint32_t>(half & 0x7fff) << 13;
  uint32_t bits = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) * 0x1.0p112f);
  if (magnitude >= (0x7c00u << 13)) bits = magnitude | 0x7f800000u;  // infinity, NaN
  return std::bit_cast<float>(bits | (static_cast<uint32_t>(half & 0x8000) << 16));
}

template <class T>
void halves_to(const std::byte* in, size_t count, T* out) {
  for (size_t i = 0; i < count; ++i) {
    uint16_t half;
    std::memcpy(&half, in + i * sizeof(half), sizeof(half));
    out[i] = static_cast<T>(half_to_float(half));
  }
}

// Calls use(i, v) with the elements of a little-endian stream of `bits`-bit integers, bits <= 32.
template <class Use>
void for_each_packed(Bytes in, unsigned bits, size_t count, Use use) {
  const uint64_t mask = (uint64_t{1} << bits) - 1;
  uint64_t window = 0;
  unsigned available = 0;
  size_t next = 0;
  for (size_t i = 0; i < count; ++i) {
    while (available < bits) {
      window |= static_cast<uint64_t>(in[next++]) << available;
      available += 8;
    }
    use(i, static_cast<uint32_t>(window & mask));
    window >>= bits;
    available -= bits;
  }
}

template <class T>
void decode_packed(const ColumnDescription& column, Packing packing, Bytes in, size_t count, T* out) {
  if (packing == Packing::kTruncated) {
    const unsigned shift = 32u - column.bits;
    for_each_packed(in, column.bits, count, [&](size_t i, uint32_t value) {
      out[i] = static_cast<T>(std::bit_cast<float>(value << shift));
    });
    return;
  }
  const double largest = static_cast<double>((uint64_t{1} << column.bits) - 1);
  const double scale = (column.max_value - column.min_value) / largest;
  for_each_packed(in, column.bits, count, [&](size_t i, uint32_t value) {
    out[i] = static_cast<T>(static_cast<double>(value) * scale + column.min_value);
  });
}

// Plain elements, split or not, to their own kind.
void decode_plain(const Encoding& encoding, Bytes stored, size_t count, std::byte* out,
                  PageScratch& scratch) {
  const size_t size = encoding.element_size;
  if (encoding.split) {
    kernels::unsplit(decompressed(stored, count * size, scratch).data(), out, count, size);
  } else {
    codec::decompress(stored, {out, count * size});
  }
  if (encoding.transform == Transform::kZigzag) kernels::zigzag_decode(out, count, size);
  if (encoding.transform == Transform::kDelta) kernels::delta_decode(out, count, size);
}

void floats_to_doubles(const std::byte* in, size_t count, double* out) {
  for (size_t i = 0; i < count; ++i) {
    float value;
    std::memcpy(&value, in + i * sizeof(value), sizeof(value));
    out[i] = static_cast<double>(value);
  }
}

template <class T>
T* as_array(std::byte* bytes) {
  return static_cast<T*>(static_cast<void*>(bytes));
}

}  // namespace

// A page holds `count` elements of `bits` bits, compressed or not. Those that are `split` store byte 0 of all
// elements, then byte 1 of all, and so on; below that lies zigzag coding for signed integers and the
// difference to the element before for indices.
void decode_page(const ColumnDescription& column, const Encoding& encoding, Bytes stored, size_t count,
                 TypeKind kind, std::byte* out, PageScratch& scratch) {
  if (count == 0) return;
  const bool to_double = kind == TypeKind::kFloat64;
  if (encoding.packing != Packing::kPlain) {
    const Bytes in = decompressed(stored, (count * column.bits + 7) / 8, scratch);
    if (encoding.packing == Packing::kBits) return kernels::unpack_bits(in.data(), out, count);
    if (to_double) return decode_packed(column, encoding.packing, in, count, as_array<double>(out));
    return decode_packed(column, encoding.packing, in, count, as_array<float>(out));
  }
  if (encoding.kind == kind && !encoding.is_half) return decode_plain(encoding, stored, count, out, scratch);

  std::byte* decoded = scratch.decoded.get(count * encoding.element_size).data();
  decode_plain(encoding, stored, count, decoded, scratch);
  if (encoding.is_half) {
    if (to_double) return halves_to(decoded, count, as_array<double>(out));
    return halves_to(decoded, count, as_array<float>(out));
  }
  floats_to_doubles(decoded, count, as_array<double>(out));
}

void decode_index_page(const Encoding& encoding, Bytes stored, size_t count, int64_t base, int64_t* out,
                       PageScratch& scratch) {
  if (count == 0) return;
  if (encoding.element_size == sizeof(uint32_t)) {
    std::byte* decoded = scratch.decoded.get(count * sizeof(uint32_t)).data();
    decode_plain(encoding, stored, count, decoded, scratch);
    kernels::widen_offsets(as_array<uint32_t>(decoded), out, count, base);
    return;
  }
  decode_plain(encoding, stored, count, std::as_writable_bytes(std::span(out, count)).data(), scratch);
  if (base == 0) return;
  // Unsigned, since a corrupt index may wrap around; whoever asked checks the order.
  for (size_t i = 0; i < count; ++i) {
    out[i] = static_cast<int64_t>(static_cast<uint64_t>(out[i]) + static_cast<uint64_t>(base));
  }
}

}  // namespace sapwood::rntuple
