#pragma once

#include <cstddef>
#include <cstdint>

#include "sapwood/base/error.h"

namespace sapwood::kernels {

/// Calls `action` with a zero of the unsigned type of `element_size` bytes.
template <class Action>
void with_element(size_t element_size, Action&& action) {
  switch (element_size) {
    case 1:
      return action(uint8_t{});
    case 2:
      return action(uint16_t{});
    case 4:
      return action(uint32_t{});
    case 8:
      return action(uint64_t{});
    default:
      throw UnsupportedError(concat("no elements of ", element_size, " bytes"));
  }
}

}  // namespace sapwood::kernels
