#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "sapwood/base/cursor.h"

namespace sapwood::root {

/// In a TObject's fBits: a process identifier, uint16, follows.
inline constexpr uint32_t kIsReferenced = 1u << 4;

/// In the number of bytes that stands before an object: that it is one.
inline constexpr uint32_t kByteCount = 0x40000000;

namespace detail {
constexpr uint16_t kMemberwise = 0x4000;
}  // namespace detail

/// What stands before the members of an object: byte count and class version.
struct VersionHeader {
  int16_t version = 0;
  bool memberwise = false;    ///< a collection streamed member by member
  std::optional<size_t> end;  ///< where the object ends, when it has a byte count
};

/// What stands before an object that is stored by pointer.
struct PointerHeader {
  enum class Kind { kNull, kReference, kObject };
  Kind kind = Kind::kNull;
  std::string class_name;     ///< of a new object; empty when its class was never named
  uint64_t tag = 0;           ///< by which the object is referred to
  std::optional<size_t> end;  ///< where the object ends, when it has a byte count
};

/// A buffer of serialised objects as TBufferFile writes it: the layer of byte counts, versions and tags.
/// Holds the bytes by reference.
class ObjectStream {
 public:
  /// `key_size`: bytes of the record's key header, from whose start tags count.
  ObjectStream(Bytes bytes, uint32_t key_size, const char* what);

  BigEndianCursor& in() { return in_; }
  VersionHeader read_version();
  PointerHeader read_pointer();
  /// Moves to the object of a tag that a pointer before referred to, and reads what stands before it; of what
  /// was stored without byte counts nothing.
  PointerHeader read_pointer_at(uint64_t tag);
  /// Reads the members of TObject, which has no byte count.
  void skip_tobject();
  /// Moves to the end of an object whose members have been read. Throws FormatError when they took more than
  /// its byte count.
  void finish(const std::optional<size_t>& end, const std::string& class_name);

 private:
  std::string read_class_name();
  std::string class_named_before(uint64_t tag);
  uint64_t next_tag(size_t position, bool has_byte_count);

  BigEndianCursor in_;
  uint64_t key_size_;
  uint64_t mapped_ = 0;
  std::unordered_map<uint64_t, std::string> classes_;
};

// uint32 byte count | 0x40000000 (of what follows it), uint16 version; or the version alone.
inline VersionHeader ObjectStream::read_version() {
  VersionHeader header;
  const size_t start = in_.position();
  uint32_t count = 0;
  if (in_.remaining() >= 4) count = in_.read<uint32_t>();
  if ((count & kByteCount) != 0) {
    count &= ~kByteCount;
    in_.require(count, 1);
    header.end = in_.position() + count;
  } else {
    in_.seek(start);
  }
  auto version = in_.read<uint16_t>();
  if (header.end && (version & detail::kMemberwise) != 0) {
    header.memberwise = true;
    version &= static_cast<uint16_t>(~detail::kMemberwise);
  }
  header.version = static_cast<int16_t>(version);
  return header;
}

}  // namespace sapwood::root
