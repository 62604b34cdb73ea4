#include "sapwood/base/hash.h"

#include <xxhash.h>

namespace sapwood {

uint64_t xxh64(Bytes bytes) { return XXH64(bytes.data(), bytes.size(), 0); }
uint64_t xxh3_64(Bytes bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace sapwood
