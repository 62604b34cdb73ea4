#pragma once

#include <cstdint>

#include "sapwood/base/cursor.h"

namespace sapwood {

/// xxHash64 with seed 0: the checksum of ROOT's LZ4 blocks.
uint64_t xxh64(Bytes bytes);
/// XXH3, 64 bits, seed 0: the checksum of RNTuple's envelopes and pages.
uint64_t xxh3_64(Bytes bytes);

}  // namespace sapwood
