#include "sapwood/rntuple/page_fetch.h"

#include <algorithm>
#include <optional>

namespace sapwood::rntuple {
namespace {

constexpr uint64_t kChecksumSize = 8;

int64_t multiplied(int64_t elements, int64_t size) {
  int64_t result = 0;
  if (__builtin_mul_overflow(elements, size, &result)) {
    throw FormatError(concat("corrupt RNTuple: ", elements, " arrays of ", size));
  }
  return result;
}

class PageFetcher {
 public:
  PageFetcher(const io::RandomAccessFile& file, const Descriptor& descriptor, uint64_t max_key_size,
              const std::shared_ptr<MemoryPool>& pool, const std::stop_token& stop, FetchedPages& fetched)
      : file_(file),
        descriptor_(descriptor),
        max_key_size_(max_key_size),
        pool_(pool),
        stop_(stop),
        scratch_(pool),
        fetched_(fetched) {}

  void add(size_t slice, const NamedNode& column) {
    column_ = &column;
    const ClusterSlice& part = fetched_.slices[slice];
    with_context({.column = column.name}, [&] {
      if (part.entries == ElementRange{0, part.cluster->entries.size()}) {
        request_all(slice, *column.node);
      } else {
        request(slice, *column.node, part.entries);
      }
    });
  }

  // Reads what has been requested; below collections, what turns out to be wanted, level by level.
  void run() {
    read();
    while (!unresolved_.empty()) {
      std::vector<Collection> resolved;
      resolved.swap(unresolved_);
      for (const Collection& collection : resolved) {
        column_ = collection.column;
        with_context({.column = column_->name}, [&] { request_items(collection); });
      }
      read();
    }
  }

 private:
  // A collection of which a part is wanted; which of its items, stands in its index column.
  struct Collection {
    const NamedNode* column;
    size_t slice;
    const FieldNode* node;
    ElementRange wanted;
  };
  struct PageRequest {
    size_t slice;
    uint32_t column;
    size_t page;
    io::ByteRange range;
  };

  void request_all(size_t slice, const FieldNode& node) {
    if (!node.principal.empty()) request_column(slice, node.principal, node.principal, std::nullopt);
    if (!node.characters.empty()) request_column(slice, node.principal, node.characters, std::nullopt);
    for (const auto& child : node.children) request_all(slice, *child);
  }

  void request(size_t slice, const FieldNode& node, ElementRange wanted) {
    if (wanted.size() == 0) return;
    // A collection starts where the one before it ends.
    const ElementRange with_previous{std::max<int64_t>(wanted.first - 1, 0), wanted.last};
    switch (node.kind) {
      case NodeKind::kValues:
        return request_column(slice, node.principal, node.principal, wanted);
      case NodeKind::kCardinality:
        return request_column(slice, node.principal, node.principal, with_previous);
      case NodeKind::kStreamed:
      case NodeKind::kString:
      case NodeKind::kList:
        request_column(slice, node.principal, node.principal, with_previous);
        unresolved_.push_back({column_, slice, &node, wanted});
        return;
      case NodeKind::kAlternative:
        request_column(slice, node.principal, node.principal, wanted);
        unresolved_.push_back({column_, slice, &node, wanted});
        return;
      case NodeKind::kFixedList:
        return request(slice, *node.children.front(),
                       {multiplied(wanted.first, node.fixed_size), multiplied(wanted.last, node.fixed_size)});
      case NodeKind::kStruct:
        for (const auto& child : node.children) request(slice, *child, wanted);
        return;
    }
  }

  void request_items(const Collection& collection) {
    const ClusterSlice& slice = fetched_.slices[collection.slice];
    const FieldNode& node = *collection.node;
    const size_t representation = slice.representation(node.principal, descriptor_);
    const FetchedElements& index = slice.columns.at(node.principal[representation].id);
    ElementRange items;
    const ElementRange wanted = collection.wanted;
    if (node.kind == NodeKind::kAlternative) {
      items = index.decode_switch(wanted, node.tag, 0, nullptr, scratch_);
      return request(collection.slice, *node.children.front(), items);
    }
    if (wanted.first > 0) {
      index.decode_index({wanted.first - 1, wanted.first}, 0, &items.first, scratch_);
    }
    index.decode_index({wanted.last - 1, wanted.last}, 0, &items.last, scratch_);
    if (items.first < 0 || items.first > items.last) {
      throw FormatError(concat("corrupt RNTuple: collections from item ", items.first, " to ", items.last));
    }
    if (items.size() == 0) return;
    if (node.kind == NodeKind::kString || node.kind == NodeKind::kStreamed) {
      request_column(collection.slice, node.principal, node.characters, items);
    } else {
      request(collection.slice, *node.children.front(), items);
    }
  }

  // Requests the pages with the elements `wanted`, all when not given, of that of the alternative `columns`
  // that is stored in the cluster; `principal` are the columns that tell which.
  void request_column(size_t slice_index, std::span<const PhysicalColumn> principal,
                      std::span<const PhysicalColumn> columns, std::optional<ElementRange> wanted) {
    ClusterSlice& slice = fetched_.slices[slice_index];
    const PhysicalColumn& physical = columns[slice.representation(principal, descriptor_)];
    const ColumnDescription& column = descriptor_.columns[physical.id];
    const ColumnRange range = slice.cluster->range_of(physical.id, column);
    const std::optional<int64_t> expected = slice.cluster->expected_elements(column);
    if (expected && *expected != range.num_elements) {
      throw FormatError(concat("corrupt RNTuple: a cluster holds ", range.num_elements,
                               " elements of a column and needs ", *expected));
    }
    const ElementRange elements = wanted.value_or(ElementRange{0, range.num_elements});
    if (elements.last > range.num_elements) {
      throw FormatError(concat("corrupt RNTuple: elements up to ", elements.last, " wanted of ",
                               range.num_elements, " in a cluster"));
    }
    const auto [entry, added] = slice.columns.try_emplace(
        physical.id, FetchedElements(column, physical, elements, range.leading_zeros));
    if (!added) return entry->second.require(elements);

    const std::span<const Page> pages = slice.cluster->pages_of(range);
    auto page = std::ranges::partition_point(pages, [&](const Page& candidate) {
      return range.leading_zeros + candidate.first_element + candidate.num_elements <= elements.first;
    });
    for (; page != pages.end(); ++page) {
      const int64_t first = range.leading_zeros + page->first_element;
      if (first >= elements.last) break;
      entry->second.pages.push_back({{first, first + page->num_elements}, page->has_checksum, {}});
      const Locator stored{page->locator.offset,
                           page->locator.size + (page->has_checksum ? kChecksumSize : 0)};
      if (stored.size < page->locator.size)
        throw FormatError("corrupt RNTuple: the size of a page overflows");
      if (max_key_size_ != 0 && stored.size > max_key_size_) {
        fetched_.records.push_back(read_record(file_, stored, max_key_size_, pool_));
        const Buffer& record = fetched_.records.back();
        entry->second.pages.back().bytes = Bytes(record.data(), record.size());
        continue;
      }
      require_in_file(file_, stored, "a page");
      requests_.push_back(
          {slice_index, physical.id, entry->second.pages.size() - 1, {stored.offset, stored.size}});
    }
  }

  void read() {
    if (requests_.empty()) return;
    std::vector<io::ByteRange> ranges;
    ranges.reserve(requests_.size());
    for (const PageRequest& request : requests_) ranges.push_back(request.range);
    fetched_.reads.push_back(
        std::make_unique<io::CoalescedRead>(file_, ranges, pool_, io::RandomAccessFile::kLargestGap, stop_));
    const io::CoalescedRead& read = *fetched_.reads.back();
    for (size_t i = 0; i < requests_.size(); ++i) {
      const PageRequest& request = requests_[i];
      fetched_.slices[request.slice].columns.at(request.column).pages[request.page].bytes = read[i];
    }
    requests_.clear();
  }

  const io::RandomAccessFile& file_;
  const Descriptor& descriptor_;
  uint64_t max_key_size_;
  const std::shared_ptr<MemoryPool>& pool_;
  const std::stop_token& stop_;
  PageScratch scratch_;
  FetchedPages& fetched_;
  const NamedNode* column_ = nullptr;  // for which is being requested
  std::vector<PageRequest> requests_;
  std::vector<Collection> unresolved_;
};

}  // namespace

size_t ClusterSlice::representation(std::span<const PhysicalColumn> columns,
                                    const Descriptor& descriptor) const {
  std::optional<size_t> later;
  for (size_t i = 0; i < columns.size(); ++i) {
    const ColumnDescription& column = descriptor.columns[columns[i].id];
    const ColumnRange range = cluster->range_of(columns[i].id, column);
    if (range.is_stored()) return i;
    // Added after the cluster was written, and not as an alternative to another one.
    if (!later && !range.suppressed && column.first_element >= 0) later = i;
  }
  if (!later) throw FormatError("corrupt RNTuple: no representation of a field is stored in a cluster");
  return *later;
}

uint64_t FetchedPages::held_bytes() const {
  uint64_t bytes = 0;
  for (const auto& read : reads) bytes += read->held_bytes();
  for (const Buffer& record : records) bytes += record.size();
  return bytes;
}

std::unique_ptr<FetchedPages> fetch_pages(const io::RandomAccessFile& file, const Descriptor& descriptor,
                                          uint64_t max_key_size, std::span<const Cluster> clusters,
                                          std::span<const NamedNode* const> nodes, EntryRange entries,
                                          const std::shared_ptr<MemoryPool>& pool,
                                          const std::stop_token& stop) {
  auto fetched = std::make_unique<FetchedPages>();
  fetched->entries = entries;
  auto cluster = std::ranges::partition_point(
      clusters, [&](const Cluster& candidate) { return candidate.entries.stop <= entries.start; });
  for (; cluster != clusters.end() && cluster->entries.start < entries.stop; ++cluster) {
    const int64_t first = std::max(entries.start, cluster->entries.start) - cluster->entries.start;
    const int64_t last = std::min(entries.stop, cluster->entries.stop) - cluster->entries.start;
    fetched->slices.push_back({&*cluster, {first, last}, {}});
  }
  PageFetcher fetcher(file, descriptor, max_key_size, pool, stop, *fetched);
  for (size_t slice = 0; slice < fetched->slices.size(); ++slice) {
    for (const NamedNode* node : nodes) fetcher.add(slice, *node);
  }
  fetcher.run();
  return fetched;
}

}  // namespace sapwood::rntuple
