#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "sapwood/column/column.h"
#include "sapwood/features/feature_spec.h"

namespace sapwood {

/// How a list in each entry becomes a fixed number of tensor elements.
struct SlotLayout {
  int64_t slots = 0;
  DType dtype = DType::kFloat32;
  double pad_value = 0;
};

/// The first `slots` values of each entry of `lists` (lists or fixed arrays of numbers), transformed, then
/// padding: slots elements for each entry, one after the other.
Buffer make_slots(const Column& lists, std::span<const Transform> transforms, const SlotLayout& layout,
                  const std::shared_ptr<MemoryPool>& pool);

/// The mask that goes with `make_slots`: bool elements, `at_values` where there is a value.
Buffer make_slot_mask(const Column& lists, int64_t slots, bool at_values,
                      const std::shared_ptr<MemoryPool>& pool);

}  // namespace sapwood
