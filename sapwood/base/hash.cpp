#include "sapwood/base/hash.h"

#if defined(__x86_64__)
#include <xxh_x86dispatch.h>  // XXH3 with the widest vectors that the processor has
#else
#include <xxhash.h>
#endif

namespace sapwood {

uint64_t xxh64(Bytes bytes) { return XXH64(bytes.data(), bytes.size(), 0); }
uint64_t xxh3_64(Bytes bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace sapwood
