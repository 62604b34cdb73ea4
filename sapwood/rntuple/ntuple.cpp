#include "sapwood/rntuple/ntuple.h"

#include <algorithm>

#include "sapwood/rntuple/assemble.h"
#include "sapwood/rntuple/page_fetch.h"

namespace sapwood::rntuple {
namespace {

/// What is stored of one physical column in all clusters.
struct ColumnTotals {
  uint64_t compressed_bytes = 0;
  uint64_t uncompressed_bytes = 0;
  double num_elements = 0;
};

std::vector<ColumnTotals> total_columns(const Descriptor& descriptor, std::span<const Cluster> clusters) {
  std::vector<ColumnTotals> totals(descriptor.columns.size());
  for (const Cluster& cluster : clusters) {
    for (uint32_t id = 0; id < totals.size(); ++id) {
      const ColumnDescription& column = descriptor.columns[id];
      const ColumnRange range = cluster.range_of(id, column);
      totals[id].num_elements += static_cast<double>(range.num_elements);
      for (const Page& page : cluster.pages_of(range)) {
        totals[id].compressed_bytes += page.locator.size;
        totals[id].uncompressed_bytes += page_length(column, page.num_elements);
      }
    }
  }
  return totals;
}

double innermost_values(const FieldNode& node, const std::vector<ColumnTotals>& totals) {
  double sum = 0;
  for (const auto& child : node.children) sum += innermost_values(*child, totals);
  if (!node.children.empty()) return sum;
  if (node.object) {
    for (const PhysicalColumn& column : node.characters) sum += totals[column.id].num_elements;
    const streamed::StreamSize size = streamed::size_of(*node.object);
    return sum / std::max(size.bytes, 1.0) * size.values;
  }
  for (const PhysicalColumn& column : node.principal) sum += totals[column.id].num_elements;
  return sum;
}

ColumnInfo describe(const NamedNode& column, const std::vector<ColumnTotals>& totals, int64_t num_entries) {
  const FieldNode& node = *column.node;
  ColumnInfo info;
  info.name = column.name;
  info.type = node.type;
  info.stored_type = node.stored_type;
  if (info.stored_type.empty()) {
    info.stored_type = node.kind == NodeKind::kList ? "untyped collection" : "untyped record";
  }
  info.unsupported = node.unsupported;
  info.is_member = column.is_member;
  for_each_physical_column(node, [&](const PhysicalColumn& physical) {
    info.compressed_bytes += totals[physical.id].compressed_bytes;
    info.uncompressed_bytes += totals[physical.id].uncompressed_bytes;
  });
  if (num_entries > 0)
    info.values_per_entry = innermost_values(node, totals) / static_cast<double>(num_entries);
  return info;
}

}  // namespace

std::shared_ptr<const Ntuple> Ntuple::open(std::shared_ptr<const root::File> file, const root::Key& key) {
  const std::shared_ptr<Ntuple> ntuple(new Ntuple());
  ntuple->file_ = std::move(file);
  ntuple->object_ = key.path;
  with_context({.file = ntuple->file(), .object = key.path}, [&] {
    ntuple->read_metadata(key);
    ntuple->read_clusters();
    ntuple->build_schema();
  });
  return ntuple;
}

void Ntuple::read_metadata(const root::Key& key) {
  const Buffer object = file_->read_object(key, heap_pool());
  anchor_ = parse_anchor({object.data(), object.size()});
  const auto read = [&](uint64_t seek, uint64_t nbytes, uint64_t length, EnvelopeType type) {
    const Buffer record = read_record(file_->bytes(), {seek, nbytes}, anchor_.max_key_size, heap_pool());
    return open_envelope({record.data(), record.size()}, length, type);
  };
  const Envelope header =
      read(anchor_.seek_header, anchor_.nbytes_header, anchor_.len_header, EnvelopeType::kHeader);
  const Envelope footer =
      read(anchor_.seek_footer, anchor_.nbytes_footer, anchor_.len_footer, EnvelopeType::kFooter);
  descriptor_ = parse_descriptor(header, footer);
}

void Ntuple::read_clusters() {
  for (const ClusterGroup& group : descriptor_.cluster_groups) {
    const Buffer record =
        read_record(file_->bytes(), group.page_list.locator, anchor_.max_key_size, heap_pool());
    const Envelope envelope =
        open_envelope({record.data(), record.size()}, group.page_list.length, EnvelopeType::kPageList);
    for (Cluster& cluster : parse_page_list(envelope, descriptor_, group)) {
      if (cluster.entries.size() != 0) clusters_.push_back(std::move(cluster));
    }
  }
  std::ranges::sort(clusters_, {}, [](const Cluster& cluster) { return cluster.entries.start; });
  int64_t next = 0;
  for (const Cluster& cluster : clusters_) {
    if (cluster.entries.start != next) {
      throw FormatError(concat("corrupt RNTuple: a cluster starts at entry ", cluster.entries.start,
                               " where ", next, " is next"));
    }
    next = cluster.entries.stop;
    ranges_.push_back(cluster.entries);
  }
}

void Ntuple::build_schema() {
  const std::vector<ColumnTotals> totals = total_columns(descriptor_, clusters_);
  std::vector<ColumnInfo> columns;
  const auto is_streamed = [](const FieldDescription& field) {
    return field.role == static_cast<uint16_t>(StructuralRole::kStreamer);
  };
  infos_ = std::ranges::any_of(descriptor_.fields, is_streamed) ? root::StreamerInfos::read(*file_)
                                                                : std::make_shared<root::StreamerInfos>();
  nodes_ = build_field_trees(descriptor_, *infos_);
  for (const NamedNode& column : nodes_) columns.push_back(describe(column, totals, num_entries()));
  schema_ = Schema(std::move(columns));
}

std::vector<StorageBlock> Ntuple::blocks(size_t column) const {
  std::vector<StorageBlock> result;
  for (const Cluster& cluster : clusters_) {
    for_each_physical_column(*nodes_[column].node, [&](const PhysicalColumn& physical) {
      const ColumnDescription& description = descriptor_.columns[physical.id];
      const ColumnRange range = cluster.range_of(physical.id, description);
      const double entries_per_element =
          static_cast<double>(cluster.entries.size()) / static_cast<double>(range.num_elements);
      for (const Page& page : cluster.pages_of(range)) {
        const auto elements_before = static_cast<double>(range.leading_zeros + page.first_element);
        result.push_back(
            {.first_entry =
                 page.num_elements == 0
                     ? cluster.entries.start
                     : cluster.entries.start + static_cast<int64_t>(elements_before * entries_per_element),
             .compressed_bytes = page.locator.size,
             .uncompressed_bytes = page_length(description, page.num_elements),
             .offset = page.locator.offset});
      }
    });
  }
  std::ranges::stable_sort(result, {}, &StorageBlock::first_entry);
  return result;
}

std::unique_ptr<FetchedColumns> Ntuple::fetch(std::span<const size_t> columns, EntryRange entries,
                                              const std::shared_ptr<MemoryPool>& pool,
                                              const std::stop_token& stop) const {
  return with_context({.file = file(), .object = object_, .entries = entries}, [&] {
    if (entries.start < 0 || entries.start > entries.stop || entries.stop > num_entries()) {
      throw SchemaError(concat("entries wanted of ", num_entries()));
    }
    std::vector<const NamedNode*> nodes;
    for (const size_t column : columns) {
      schema_.require(schema_[column].name);
      nodes.push_back(&nodes_[column]);
    }
    std::unique_ptr<FetchedPages> fetched =
        fetch_pages(file_->bytes(), descriptor_, anchor_.max_key_size, clusters_, nodes, entries, pool, stop);
    fetched->columns.assign(columns.begin(), columns.end());
    return fetched;
  });
}

Column Ntuple::decode(const FetchedColumns& fetched, size_t position, const std::shared_ptr<MemoryPool>& pool,
                      const Buffer& destination) const {
  const auto& pages = dynamic_cast<const FetchedPages&>(fetched);
  const size_t column = pages.columns.at(position);
  return with_context(
      {.file = file(), .object = object_, .column = schema_[column].name, .entries = pages.entries},
      [&] { return assemble(*nodes_[column].node, pages, descriptor_, *infos_, pool, destination); });
}

}  // namespace sapwood::rntuple
