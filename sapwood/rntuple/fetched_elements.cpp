#include <algorithm>
#include <cstring>
#include <vector>

#include "sapwood/base/hash.h"
#include "sapwood/rntuple/page_fetch.h"

namespace sapwood::rntuple {
namespace {

constexpr size_t kChecksumSize = 8;
/// No cluster holds as many values of a variant.
constexpr uint64_t kMostValues = uint64_t{1} << 62;

}  // namespace

void FetchedElements::require(ElementRange wanted) const {
  if (wanted.size() == 0) return;
  if (wanted.first < elements_.first || wanted.last > elements_.last || wanted.first > wanted.last) {
    throw FormatError(concat("corrupt RNTuple: elements [", wanted.first, ", ", wanted.last,
                             ") of a column that holds [", elements_.first, ", ", elements_.last, ")"));
  }
}

Bytes FetchedElements::verified(const StoredPage& page, ScratchBuffer& scratch) const {
  const Bytes bytes = page.bytes.get(scratch);
  if (!page.has_checksum) return bytes;
  const Bytes stored = bytes.first(bytes.size() - kChecksumSize);
  LittleEndianCursor in(bytes.last(kChecksumSize), "page checksum");
  if (in.read<uint64_t>() != xxh3_64(stored)) {
    throw FormatError("corrupt RNTuple page: its checksum does not match");
  }
  return stored;
}

// decode_page(bytes, count, out) decodes a whole page.
template <class T, class DecodePage>
void FetchedElements::decode_pages(ElementRange wanted, size_t element_size, T* out, PageScratch& scratch,
                                   const DecodePage& decode_page) const {
  auto* out_bytes = static_cast<std::byte*>(static_cast<void*>(out));
  const auto position = [&](int64_t element) {
    return out_bytes + static_cast<size_t>(element - wanted.first) * element_size;
  };
  if (wanted.first < leading_zeros_) {
    const int64_t zeros_end = std::min(leading_zeros_, wanted.last);
    std::memset(out_bytes, 0, static_cast<size_t>(zeros_end - wanted.first) * element_size);
  }
  auto page = std::ranges::partition_point(
      pages, [&](const StoredPage& stored) { return stored.elements.last <= wanted.first; });
  for (; page != pages.end() && page->elements.first < wanted.last; ++page) {
    const auto count = static_cast<size_t>(page->elements.size());
    const Bytes stored = verified(*page, scratch.stored);
    if (page->elements.first >= wanted.first && page->elements.last <= wanted.last) {
      decode_page(stored, count, position(page->elements.first));
      continue;
    }
    std::byte* whole = scratch.partial.get(count * element_size).data();
    decode_page(stored, count, whole);
    const int64_t first = std::max(wanted.first, page->elements.first);
    const int64_t last = std::min(wanted.last, page->elements.last);
    std::memcpy(position(first), whole + static_cast<size_t>(first - page->elements.first) * element_size,
                static_cast<size_t>(last - first) * element_size);
  }
}

void FetchedElements::decode(ElementRange wanted, TypeKind kind, std::byte* out, PageScratch& scratch) const {
  decode_pages(wanted, primitive_size(kind), out, scratch, [&](Bytes stored, size_t count, std::byte* to) {
    decode_page(*column_, encoding_, stored, count, kind, to, scratch);
  });
}

void FetchedElements::decode_index(ElementRange wanted, int64_t base, int64_t* out,
                                   PageScratch& scratch) const {
  decode_pages(wanted, sizeof(int64_t), out, scratch, [&](Bytes stored, size_t count, std::byte* to) {
    decode_index_page(encoding_, stored, count, base, static_cast<int64_t*>(static_cast<void*>(to)), scratch);
  });
  if (base == 0) return;
  const int64_t zeros_end = std::min(leading_zeros_, wanted.last);
  for (int64_t element = wanted.first; element < zeros_end; ++element) out[element - wanted.first] = base;
}

// An element: uint64 place of the value among those of its alternative in the cluster, uint32 tag; 0: no
// value.
ElementRange FetchedElements::decode_switch(ElementRange wanted, uint32_t tag, int64_t base, int64_t* ends,
                                            PageScratch& scratch) const {
  std::vector<std::byte> elements(static_cast<size_t>(wanted.size()) * encoding_.element_size);
  decode_pages(wanted, encoding_.element_size, elements.data(), scratch,
               [&](Bytes stored, size_t count, std::byte* to) {
                 decode_page(*column_, encoding_, stored, count, encoding_.kind, to, scratch);
               });
  LittleEndianCursor in(elements, "switch column");
  ElementRange values;
  while (!in.at_end()) {
    const auto place = in.read<uint64_t>();
    if (in.read<uint32_t>() == tag) {
      if (values.size() == 0 && place < kMostValues)
        values = {static_cast<int64_t>(place), static_cast<int64_t>(place)};
      if (place != static_cast<uint64_t>(values.last) || place >= kMostValues)
        throw FormatError(concat("corrupt RNTuple: value ", place, " of a variant's alternative where ",
                                 values.last, " is next"));
      ++values.last;
    }
    if (ends != nullptr) *ends++ = base + values.size();
  }
  return values;
}

}  // namespace sapwood::rntuple
