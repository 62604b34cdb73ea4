#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sapwood/base/buffer.h"
#include "sapwood/base/cursor.h"
#include "sapwood/io/random_access_file.h"

namespace sapwood::rntuple {

/// A range of bytes in the file.
struct Locator {
  uint64_t offset = 0;
  uint64_t size = 0;
};

/// Where an envelope is, and how many bytes it has after decompression.
struct EnvelopeLink {
  uint64_t length = 0;
  Locator locator;
};

enum class EnvelopeType : uint16_t { kHeader = 1, kFooter = 2, kPageList = 3 };

/// A decompressed envelope whose checksum has been verified.
struct Envelope {
  Buffer bytes;
  uint64_t checksum = 0;
  /// What stands between the envelope's preamble and its checksum.
  LittleEndianCursor payload() const;
};

/// The items of a list frame.
struct ListFrame {
  LittleEndianCursor payload;
  uint32_t num_items = 0;
};

Locator read_locator(LittleEndianCursor& in);
EnvelopeLink read_envelope_link(LittleEndianCursor& in);
std::string read_string(LittleEndianCursor& in);

/// Moves `in` past a frame and returns what is in it. Frames may have trailing parts that are unknown to us.
LittleEndianCursor take_record_frame(LittleEndianCursor& in, const char* what);
/// `min_item_size`: bytes that each item has at least; more items than can fit are a FormatError.
ListFrame take_list_frame(LittleEndianCursor& in, const char* what, size_t min_item_size);

/// Throws FormatError when the range is not in the file.
void require_in_file(const io::RandomAccessFile& file, const Locator& locator, const char* what);

/// Throws FormatError when no codec could make `uncompressed_size` bytes of `size` stored ones; checked
/// before memory is allocated for them.
void require_plausible_size(uint64_t size, uint64_t uncompressed_size, const char* what);

/// The stored bytes at `locator`, put together again when they are larger than `max_key_size` (unless that is
/// 0) and so stored in several pieces.
Buffer read_record(const io::RandomAccessFile& file, const Locator& locator, uint64_t max_key_size,
                   const std::shared_ptr<MemoryPool>& pool);

/// Decompresses the stored bytes of an envelope, and checks its type, length and checksum.
Envelope open_envelope(Bytes record, uint64_t length, EnvelopeType type);

}  // namespace sapwood::rntuple
