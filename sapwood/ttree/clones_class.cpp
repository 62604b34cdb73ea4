#include "sapwood/ttree/clones_class.h"

#include <algorithm>

#include "sapwood/root/key_header.h"
#include "sapwood/root/object_stream.h"
#include "sapwood/streamed/node_decoder.h"
#include "sapwood/ttree/basket.h"

namespace sapwood::ttree {
namespace {

constexpr int64_t kSplitClones = 3;

std::string class_in(Bytes entry, uint32_t offset_base, bool is_named) {
  root::ObjectStream stream(entry, offset_base, "TClonesArray");
  BigEndianCursor& in = stream.in();
  if (is_named) {
    in.skip(in.read<uint8_t>());
    in.skip(1);
  }
  const root::VersionHeader header = stream.read_version();
  if (header.version > 2) stream.skip_tobject();
  if (header.version > 1) root::read_string(in);
  const std::string name = root::read_string(in);
  return name.substr(0, name.rfind(';'));
}

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

bool holds_clones(const Branch& branch) {
  return branch.cpp_class == "TClonesArray" && branch.node_type != kSplitClones && branch.member_id < 0 &&
         !branch.has_children;
}

std::string find_clones_class(const Branch& branch, const root::File& file) {
  std::string found;
  read_first_basket(branch, file, [&](const Basket& basket) {
    found = class_in(basket.data, basket.offset_base, branch.class_name == "TBranchObject");
  });
  return found;
}

void find_clones_classes(const Branch& branch, const streamed::StreamNode& node,
                         const root::StreamerInfos& infos, const root::File& file,
                         streamed::ClonesClasses& found) {
  constexpr int64_t kMostEntries = 10;
  read_first_basket(branch, file, [&](const Basket& basket) {
    if (!basket.has_offsets()) return;
    streamed::NodeDecoder decoder(node, {.infos = &infos, .pool = heap_pool(), .found = &found}, {});
    for (int64_t entry = 0; entry < std::min(basket.num_entries, kMostEntries); ++entry) {
      root::ObjectStream stream(basket.data, basket.offset_base, "basket");
      stream.in().seek(basket.offset(entry));
      const size_t end = entry + 1 < basket.num_entries ? basket.offset(entry + 1) : basket.data.size();
      streamed::StreamInput input{stream, end};
      decoder.read(input, 1);
    }
  });
}

}  // namespace sapwood::ttree
