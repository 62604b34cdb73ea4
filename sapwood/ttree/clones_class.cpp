#include "sapwood/ttree/clones_class.h"

#include <algorithm>

#include "sapwood/root/key_header.h"
#include "sapwood/root/object_stream.h"
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

}  // namespace

bool holds_clones(const Branch& branch) {
  return branch.cpp_class == "TClonesArray" && branch.node_type != kSplitClones && branch.member_id < 0 &&
         !branch.has_children;
}

std::string find_clones_class(const Branch& branch, const root::File& file) {
  try {
    if (branch.num_entries <= 0 || branch.baskets.empty()) return {};
    const BasketLocation& location = branch.baskets.front();
    const bool is_named = branch.class_name == "TBranchObject";
    if (location.seek == 0) {
      const Basket basket = unpack_embedded_basket(location.embedded);
      return class_in(basket.data, basket.offset_base, is_named);
    }
    const uint64_t size = file.bytes().size();
    if (location.seek > size || location.size > size - location.seek) return {};
    std::vector<std::byte> record(location.size);
    file.bytes().read_at(location.seek, record);
    Scratch scratch(heap_pool());
    const Basket basket = unpack_basket(record, scratch);
    return class_in(basket.data, basket.offset_base, is_named);
  } catch (const FormatError&) {
    return {};
  }
}

}  // namespace sapwood::ttree
