#include "sapwood/base/random.h"
#include "sapwood/kernels/philox.h"

namespace sapwood::kernels::scalar {

void philox_run(const std::array<uint32_t, 4>& counter, const std::array<uint32_t, 2>& key, size_t count,
                uint64_t* first, uint64_t* second) {
  std::array<uint32_t, 4> at = counter;
  for (size_t i = 0; i < count; ++i, ++at[0]) {
    const auto bits = philox4x32(at, key);
    first[i] = bits[0];
    second[i] = uint64_t{bits[1]} << 32 | bits[2];
  }
}

}  // namespace sapwood::kernels::scalar
