#include "sapwood/rntuple/anchor.h"

#include "sapwood/base/hash.h"
#include "sapwood/root/object_stream.h"

namespace sapwood::rntuple {
namespace {

constexpr uint16_t kEpoch = 1;

}  // namespace

// Big-endian:
//   u32 byte count of what follows up to the checksum, with bit 30 set; u16 class version
//   u16 epoch, major, minor, patch
//   u64 seek, nbytes, len of the header; u64 seek, nbytes, len of the footer; u64 max key size
//   (fields of later versions)
//   u64 XXH3 of the fields, from the epoch on
Anchor parse_anchor(Bytes object) {
  BigEndianCursor in(object, "RNTuple anchor");
  const uint32_t byte_count = in.read<uint32_t>();
  if ((byte_count & root::kByteCount) == 0) in.fail("a byte count");
  BigEndianCursor body(in.take(byte_count & ~root::kByteCount), "RNTuple anchor");
  body.read<uint16_t>();  // class version
  const size_t fields_start = body.position();

  Anchor anchor;
  anchor.version_epoch = body.read<uint16_t>();
  anchor.version_major = body.read<uint16_t>();
  anchor.version_minor = body.read<uint16_t>();
  anchor.version_patch = body.read<uint16_t>();
  if (anchor.version_epoch != kEpoch) {
    throw UnsupportedError(concat("RNTuple format ", anchor.version_epoch, '.', anchor.version_major, '.',
                                  anchor.version_minor, '.', anchor.version_patch,
                                  " is of before the first release; only epoch 1 is read"));
  }
  for (uint64_t* field : {&anchor.seek_header, &anchor.nbytes_header, &anchor.len_header, &anchor.seek_footer,
                          &anchor.nbytes_footer, &anchor.len_footer, &anchor.max_key_size}) {
    *field = body.read<uint64_t>();
  }
  if (in.read<uint64_t>() != xxh3_64(body.all().subspan(fields_start))) {
    throw FormatError("corrupt RNTuple anchor: its checksum does not match");
  }
  return anchor;
}

}  // namespace sapwood::rntuple
