#include "sapwood/ttree/positions.h"

#include <algorithm>

#include "sapwood/kernels/decode.h"

namespace sapwood::ttree {

std::span<const uint32_t> load_offsets(const BasketPart& part, int64_t done, OffsetTile& tile) {
  const auto count = static_cast<size_t>(std::min<int64_t>(std::ssize(tile), part.local.size() - done));
  kernels::byte_swap(part.basket.offsets.data() + (part.local.start + done) * 4,
                     std::as_writable_bytes(std::span(tile)).data(), count, sizeof(uint32_t));
  return std::span(tile).first(count);
}

void stored_positions(const BasketPart& part, std::span<int64_t> positions) {
  const Basket& basket = part.basket;
  const auto size = static_cast<int64_t>(basket.data.size());
  const int64_t count = part.local.size();
  int64_t* out = positions.data();
  OffsetTile tile;
  for (int64_t done = 0; done < count; done += std::ssize(tile)) {
    const std::span<const uint32_t> stored = load_offsets(part, done, tile);
    kernels::widen_offsets(stored.data(), out + done, stored.size(), -int64_t{basket.offset_base});
  }
  out[count] = part.local.stop < basket.num_entries ? int64_t{basket.offset(part.local.stop)} : size;
  int64_t wrong = out[0] | (size - out[count]);  // a negative difference anywhere
  for (int64_t i = 0; i < count; ++i) wrong |= out[i + 1] - out[i];
  if (wrong >= 0) return;
  int64_t before = 0;
  for (int64_t i = 0; i <= count; ++i) {
    if (out[i] < before || out[i] > size) {
      throw FormatError(concat("corrupt basket: its entry ", part.local.start + i, " begins at byte ", out[i],
                               " of ", size, ", the one before at ", before));
    }
    before = out[i];
  }
}

}  // namespace sapwood::ttree
