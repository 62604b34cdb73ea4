#include "sapwood/root/key_header.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "sapwood/base/names.h"
#include "sapwood/codec/decompress.h"

namespace sapwood::root {

// TKey, big-endian:
//   int32 fNbytes, int16 fVersion, int32 fObjlen, uint32 fDatime, int16 fKeylen, int16 fCycle,
//   int32 fSeekKey, int32 fSeekPdir (int64 each when fVersion > 1000), TString class, name, title
KeyHeader read_key_header(BigEndianCursor& in) {
  KeyHeader key;
  key.record_size = in.read<int32_t>();
  key.version = in.read<int16_t>();
  key.object_size = in.read<int32_t>();
  in.skip(4);
  key.key_size = in.read<int16_t>();
  const int cycle = in.read<int16_t>();  // negative: it is to be kept
  key.cycle = static_cast<int16_t>(std::min(std::abs(cycle), int{INT16_MAX}));
  if (key.version > 1000) {
    key.seek = in.read<uint64_t>();
    // The upper 16 bits of fSeekPdir number the file of a multi-volume archive.
    key.parent_seek = in.read<uint64_t>() & 0xFFFFFFFFFFFFu;
  } else {
    key.seek = in.read<uint32_t>();
    key.parent_seek = in.read<uint32_t>();
  }
  key.class_name = read_string(in);
  key.name = read_string(in);
  key.title = read_string(in);
  if (key.key_size < 0 || key.object_size < 0) {
    throw FormatError(concat("corrupt key '", key.name, "': header of ", key.key_size, " bytes, object of ",
                             key.object_size));
  }
  return key;
}

Key key_of(const KeyHeader& header, std::string path) {
  return {.path = std::move(path),
          .class_name = header.class_name,
          .title = header.title,
          .cycle = header.cycle,
          .seek = header.seek,
          .record_size = static_cast<uint32_t>(header.record_size),
          .key_size = static_cast<uint32_t>(header.key_size),
          .uncompressed_size = static_cast<uint32_t>(header.object_size)};
}

std::string read_string(BigEndianCursor& in) {
  uint32_t length = in.read<uint8_t>();
  if (length == 255) length = in.read<uint32_t>();
  return utf8_name(in.read_text(length));
}

void check_object_size(Bytes stored, uint64_t size) {
  if (!codec::is_plausible_size(stored.size(), size)) codec::require_size(stored, size);
}

}  // namespace sapwood::root
