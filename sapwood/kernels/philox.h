#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sapwood::kernels {

/// Philox4x32-10 (base/random.h) of `count` counters, whose first word counts up from `counter[0]` (it must
/// not overflow): to `first` the first word of each, to `second` its second word (high) and third (low).
/// Vectorised with Highway; the scalar twin defines the result.
void philox_run(const std::array<uint32_t, 4>& counter, const std::array<uint32_t, 2>& key, size_t count,
                uint64_t* first, uint64_t* second);

namespace scalar {
void philox_run(const std::array<uint32_t, 4>& counter, const std::array<uint32_t, 2>& key, size_t count,
                uint64_t* first, uint64_t* second);
}  // namespace scalar

}  // namespace sapwood::kernels
