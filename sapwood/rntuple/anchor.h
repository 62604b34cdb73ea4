#pragma once

#include <cstdint>

#include "sapwood/base/cursor.h"

namespace sapwood::rntuple {

/// The object of class ROOT::RNTuple in a file: where the header and footer envelopes are.
struct Anchor {
  uint16_t version_epoch = 0;
  uint16_t version_major = 0;
  uint16_t version_minor = 0;
  uint16_t version_patch = 0;
  uint64_t seek_header = 0;    ///< file offset
  uint64_t nbytes_header = 0;  ///< bytes in the file
  uint64_t len_header = 0;     ///< bytes after decompression
  uint64_t seek_footer = 0;
  uint64_t nbytes_footer = 0;
  uint64_t len_footer = 0;
  uint64_t max_key_size = 0;  ///< larger records are stored in several pieces; 0: none is
};

/// Reads the streamed object of the anchor's key and checks its checksum. Throws FormatError,
/// UnsupportedError (another epoch of the format).
Anchor parse_anchor(Bytes object);

}  // namespace sapwood::rntuple
