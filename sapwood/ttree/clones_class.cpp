#include "sapwood/ttree/clones_class.h"

#include <algorithm>

#include "sapwood/root/object_stream.h"
#include "sapwood/streamed/node_decoder.h"
#include "sapwood/ttree/basket.h"

namespace sapwood::ttree {
namespace {

// What can't be read or understood tells nothing.
template <class Use>
void read_first_basket(const Branch& branch, const root::File& file, Use&& use) {
  try {
    if (branch.num_entries <= 0 || branch.baskets.empty()) return;
    const BasketLocation& location = branch.baskets.front();
    if (location.seek == 0) return use(unpack_embedded_basket(location.embedded));
    const uint64_t size = file.bytes().size();
    if (location.seek > size || location.size > size - location.seek) return;
    std::vector<std::byte> record(location.size);
    file.bytes().read_at(location.seek, record);
    Scratch scratch(heap_pool());
    use(unpack_basket(record, scratch));
  } catch (const FormatError&) {
  } catch (const UnsupportedError&) {
  }
}

}  // namespace

void find_clones_classes(const Branch& branch, const streamed::StreamNode& node,
                         const root::StreamerInfos& infos, const root::File& file,
                         streamed::ClonesClasses& found) {
  constexpr int64_t kMostEntries = 10;
  read_first_basket(branch, file, [&](const Basket& basket) {
    streamed::NodeDecoder decoder(node, {.infos = &infos, .pool = heap_pool(), .found = &found}, {});
    root::ObjectStream stream(basket.data, basket.offset_base, "basket");
    for (int64_t entry = 0; entry < std::min(basket.num_entries, kMostEntries); ++entry) {
      if (basket.has_offsets()) stream.in().seek(basket.offset(entry));
      const bool is_last = !basket.has_offsets() || entry + 1 == basket.num_entries;
      streamed::StreamInput input{stream, is_last ? basket.data.size() : basket.offset(entry + 1)};
      decoder.read(input, 1);
    }
  });
}

}  // namespace sapwood::ttree
