#include "sapwood/features/slots.h"

#include <algorithm>
#include <cstring>

#include "sapwood/features/convert.h"
#include "sapwood/features/transform.h"

namespace sapwood {
namespace {

// Calls use(entry, start, count) with the place of each entry's values, at most `slots` of them.
template <class Use>
void for_each_entry(const Column& lists, int64_t slots, Use use) {
  const bool jagged = lists.type.kind == TypeKind::kList;
  const auto offsets = jagged ? lists.offset_span() : std::span<const int64_t>{};
  for (int64_t entry = 0; entry < lists.length; ++entry) {
    const auto e = static_cast<size_t>(entry);
    const int64_t start = jagged ? offsets[e] : entry * lists.type.fixed_size;
    const int64_t count = jagged ? offsets[e + 1] - start : lists.type.fixed_size;
    use(e, static_cast<size_t>(start), static_cast<size_t>(std::min(count, slots)));
  }
}

}  // namespace

Buffer make_slots(const Column& lists, std::span<const Transform> transforms, const SlotLayout& layout,
                  const std::shared_ptr<MemoryPool>& pool) {
  const Column& items = lists.item();
  const size_t size = dtype_size(layout.dtype);
  const auto slots = static_cast<size_t>(layout.slots);
  const auto num_values = static_cast<size_t>(items.length);
  const Buffer values(num_values * size, pool);
  transform_values(items.values.data(), items.type.kind, 1, transforms, values.data(), layout.dtype,
                   num_values);
  Buffer result(static_cast<size_t>(lists.length) * slots * size, pool);
  fill_elements(result.data(), layout.dtype, layout.pad_value, static_cast<size_t>(lists.length) * slots);
  for_each_entry(lists, layout.slots, [&](size_t entry, size_t start, size_t count) {
    if (count != 0)
      std::memcpy(result.data() + entry * slots * size, values.data() + start * size, count * size);
  });
  return result;
}

Buffer make_slot_mask(const Column& lists, int64_t slots, bool at_values,
                      const std::shared_ptr<MemoryPool>& pool) {
  const auto width = static_cast<size_t>(slots);
  Buffer result(static_cast<size_t>(lists.length) * width, pool);
  for_each_entry(lists, slots, [&](size_t entry, size_t, size_t count) {
    std::byte* mask = result.data() + entry * width;
    std::memset(mask, at_values ? 1 : 0, count);
    std::memset(mask + count, at_values ? 0 : 1, width - count);
  });
  return result;
}

}  // namespace sapwood
