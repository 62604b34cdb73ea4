#include "sapwood/rntuple/page_list.h"

#include <limits>

namespace sapwood::rntuple {
namespace {

constexpr size_t kMinClusterSummarySize = 8 + 16;
constexpr size_t kMinPageListSize = 12;
constexpr size_t kMinPageSize = 4 + 12;
constexpr uint64_t kSharded = 0x01;

// u64 first entry; 56 bits number of entries, 8 bits flags.
EntryRange read_cluster_summary(LittleEndianCursor in) {
  const uint64_t first = in.read<uint64_t>();
  const uint64_t word = in.read<uint64_t>();
  if (((word >> 56) & kSharded) != 0) throw UnsupportedError("sharded clusters are not read");
  const uint64_t count = word & ((uint64_t{1} << 56) - 1);
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  if (first > kMax - count) {
    throw FormatError(concat("corrupt RNTuple page list: a cluster of ", count, " entries from ", first));
  }
  return {static_cast<int64_t>(first), static_cast<int64_t>(first + count)};
}

// i32 number of elements, negative when a checksum follows the page; locator.
Page read_page(LittleEndianCursor& in) {
  const int32_t count = in.read<int32_t>();
  Page page;
  page.has_checksum = count < 0;
  page.num_elements = count < 0 ? 0u - static_cast<uint32_t>(count) : static_cast<uint32_t>(count);
  page.locator = read_locator(in);
  return page;
}

// List frame of pages, followed in the same frame by i64 element offset, negative when the column is
// suppressed, and else u32 compression settings.
ColumnRange read_column_range(LittleEndianCursor& in, const ColumnDescription& column,
                              std::vector<Page>& pages) {
  ListFrame frame = take_list_frame(in, "RNTuple pages of a column", kMinPageSize);
  ColumnRange range;
  range.in_page_list = true;
  range.first_page = pages.size();
  range.num_pages = frame.num_items;
  for (uint32_t i = 0; i < frame.num_items; ++i) {
    Page page = read_page(frame.payload);
    page.first_element = range.num_elements;
    // 2^32 pages of less than 2^32 elements can't overflow.
    range.num_elements += page.num_elements;
    require_plausible_size(page.locator.size, page_length(column, page.num_elements), "RNTuple page");
    pages.push_back(page);
  }
  range.suppressed = frame.payload.read<int64_t>() < 0;
  if (range.suppressed && range.num_pages != 0) frame.payload.fail("no pages of a suppressed column");
  return range;
}

}  // namespace

std::optional<int64_t> Cluster::expected_elements(const ColumnDescription& column) const {
  if (column.elements_per_entry == 0) return std::nullopt;
  int64_t count = 0;
  if (__builtin_mul_overflow(entries.size(), column.elements_per_entry, &count)) {
    throw FormatError(concat("corrupt RNTuple: ", column.elements_per_entry, " elements in each of ",
                             entries.size(), " entries"));
  }
  return count;
}

ColumnRange Cluster::range_of(uint32_t column_id, const ColumnDescription& column) const {
  ColumnRange range = column_id < columns.size() ? columns[column_id] : ColumnRange{};
  // Below a collection no element is missing, since the collection above is empty. Mergers store the zeros,
  // so what is missing does not follow from the first element alone.
  if (!column.is_deferred() || column.first_element < 0 || range.suppressed) return range;
  const std::optional<int64_t> expected = expected_elements(column);
  if (!expected || *expected <= range.num_elements) return range;
  range.leading_zeros = *expected - range.num_elements;
  range.num_elements = *expected;
  return range;
}

// u64 checksum of the header; list frame of cluster summaries; list frame (clusters) of list frames (columns)
// of list frames (pages).
std::vector<Cluster> parse_page_list(const Envelope& envelope, const Descriptor& descriptor,
                                     const ClusterGroup& group) {
  LittleEndianCursor in = envelope.payload();
  if (in.read<uint64_t>() != descriptor.header_checksum) {
    throw FormatError("corrupt RNTuple: header and page list do not belong together");
  }
  ListFrame summaries = take_list_frame(in, "RNTuple cluster summaries", kMinClusterSummarySize);
  ListFrame locations = take_list_frame(in, "RNTuple page locations", kMinPageListSize);
  if (summaries.num_items != group.num_clusters || locations.num_items != group.num_clusters) {
    throw FormatError(concat("corrupt RNTuple page list: a group of ", group.num_clusters, " clusters has ",
                             summaries.num_items, " summaries and ", locations.num_items, " page lists"));
  }
  std::vector<Cluster> clusters(group.num_clusters);
  for (Cluster& cluster : clusters) {
    cluster.entries = read_cluster_summary(take_record_frame(summaries.payload, "RNTuple cluster summary"));
    ListFrame columns = take_list_frame(locations.payload, "RNTuple pages of a cluster", kMinPageListSize);
    if (columns.num_items > descriptor.columns.size()) {
      throw FormatError(concat("corrupt RNTuple page list: pages of ", columns.num_items,
                               " columns, of which ", descriptor.columns.size(), " are known"));
    }
    for (uint32_t id = 0; id < columns.num_items; ++id) {
      cluster.columns.push_back(read_column_range(columns.payload, descriptor.columns[id], cluster.pages));
    }
  }
  return clusters;
}

}  // namespace sapwood::rntuple
