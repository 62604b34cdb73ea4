#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>

#include "sapwood/base/error.h"

namespace sapwood {

using Bytes = std::span<const std::byte>;

namespace detail {
template <size_t Size>
using UnsignedOfSize = std::conditional_t<
    Size == 1, uint8_t,
    std::conditional_t<Size == 2, uint16_t, std::conditional_t<Size == 4, uint32_t, uint64_t>>>;
inline uint8_t byte_swapped(uint8_t v) { return v; }
inline uint16_t byte_swapped(uint16_t v) { return __builtin_bswap16(v); }
inline uint32_t byte_swapped(uint32_t v) { return __builtin_bswap32(v); }
inline uint64_t byte_swapped(uint64_t v) { return __builtin_bswap64(v); }
}  // namespace detail

/// Reads numbers from bytes of an untrusted file. Every read is checked: past the end it throws `FormatError`
/// naming `what` is being read and where. Does not own the bytes. Use `BigEndianCursor` for TFile and TTree,
/// `LittleEndianCursor` for RNTuple.
template <std::endian Order>
class ByteCursor {
 public:
  explicit ByteCursor(Bytes bytes, const char* what = "record") : bytes_(bytes), what_(what) {}

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }
  bool at_end() const { return remaining() == 0; }
  Bytes all() const { return bytes_; }

  /// Moves to an absolute position, `position <= size`.
  void seek(size_t position) {
    if (position > bytes_.size()) fail(concat("a jump to byte ", position));
    position_ = position;
  }
  void skip(size_t count) { take(count); }

  /// The next `count` bytes, which stay owned by the underlying buffer.
  Bytes take(size_t count) {
    if (count > remaining()) fail(concat(count, " bytes"));
    const Bytes result = bytes_.subspan(position_, count);
    position_ += count;
    return result;
  }

  template <class T>
  T read() {
    static_assert(std::is_arithmetic_v<T>);
    if (sizeof(T) > remaining()) fail(concat(sizeof(T), " bytes"));
    detail::UnsignedOfSize<sizeof(T)> raw;
    std::memcpy(&raw, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    if constexpr (Order != std::endian::native) raw = detail::byte_swapped(raw);
    if constexpr (std::is_same_v<T, bool>) {
      return raw != 0;
    } else {
      return std::bit_cast<T>(raw);
    }
  }

  /// `count` bytes as text.
  std::string read_text(size_t count) {
    const Bytes text = take(count);
    std::string result(count, '\0');
    if (count != 0) std::memcpy(result.data(), text.data(), count);
    return result;
  }

  /// Throws unless `count` elements of `element_size` bytes can still follow; call it before allocating for
  /// them.
  void require(uint64_t count, uint64_t element_size) const {
    if (element_size != 0 && count > remaining() / element_size)
      fail(concat(count, " elements of ", element_size, " bytes"));
  }

  [[noreturn]] void fail(const std::string& wanted) const {
    throw FormatError(concat("corrupt or truncated ", what_, ": ", wanted, " wanted at byte ", position_,
                             " of ", bytes_.size()));
  }

 private:
  Bytes bytes_;
  size_t position_ = 0;
  const char* what_;
};

using BigEndianCursor = ByteCursor<std::endian::big>;
using LittleEndianCursor = ByteCursor<std::endian::little>;

}  // namespace sapwood
