#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "sapwood/base/cursor.h"
#include "sapwood/root/file.h"

namespace sapwood::root {

/// What stands at the start of every record of a TFile, and in the key lists of its directories.
struct KeyHeader {
  int32_t record_size = 0;  ///< bytes of the record, this header included; of embedded records 0
  int16_t version = 0;      ///< above 1000: 64-bit positions
  int32_t object_size = 0;  ///< bytes of the object after decompression
  int16_t key_size = 0;     ///< bytes of this header
  int16_t cycle = 0;
  uint64_t seek = 0;         ///< position of the record in the file
  uint64_t parent_seek = 0;  ///< position of the directory's record
  std::string class_name;
  std::string name;
  std::string title;
};

/// Where the header's own size stands in it, uint16.
inline constexpr size_t kKeySizePlace = 14;

/// Reads a key header. Throws FormatError when it ends early or its sizes contradict each other.
KeyHeader read_key_header(BigEndianCursor& in);

/// As a key of that path.
Key key_of(const KeyHeader& header, std::string path);

/// Reads a TString: one byte of length, or 255 and four bytes of length, then the characters.
std::string read_string(BigEndianCursor& in);

/// To be called before memory is allocated for a record's object. Throws, as codec::decompress, unless it is
/// as large as its header says, where that is much.
void check_object_size(Bytes stored, uint64_t size);

}  // namespace sapwood::root
