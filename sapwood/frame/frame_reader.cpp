#include "sapwood/frame/frame_reader.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "sapwood/column/arrow_interface.h"
#include "sapwood/column/parse_type.h"

namespace sapwood {
namespace {

constexpr int64_t kSampledEntries = 500;  // at each of so many places, of the columns whose sizes vary
constexpr int64_t kSampledPlaces = 3;

struct FetchedFrame final : FetchedColumns {
  std::vector<Column> columns;
  uint64_t held_bytes() const override {
    uint64_t bytes = 0;
    for (const Column& column : columns) bytes += column.byte_size();
    return bytes;
  }
};

// What a read gives, part by part.
struct Parts {
  std::vector<Type> types;
  std::shared_ptr<MemoryPool> pool;
  std::vector<std::vector<Column>> columns{};  // of each part
  std::exception_ptr error{};

  void take(ArrowArray* arrays) noexcept {
    columns.emplace_back();
    for (size_t i = 0; i < types.size(); ++i) {
      ArrowSchema schema{};
      try {
        export_schema(types[i], "", &schema);
        columns.back().push_back(import_array(schema, &arrays[i], pool));
      } catch (...) {
        error = std::current_exception();
      }
      if (arrays[i].release != nullptr && error) arrays[i].release(&arrays[i]);
      if (schema.release != nullptr) schema.release(&schema);
    }
  }
};

int64_t innermost_values(const Column& column) {
  if (column.type.kind == TypeKind::kList) return innermost_values(column.item());
  return column.length;
}

Column passing(const std::vector<int64_t>& places, int64_t length, const std::shared_ptr<MemoryPool>& pool) {
  Column passes = make_fixed_width_column(TypeKind::kBool, length, pool);
  std::memset(passes.values.data(), 0, passes.values.size());
  for (const int64_t place : places) passes.values.as<uint8_t>()[static_cast<size_t>(place)] = 1;
  return passes;
}

}  // namespace

FrameReader::FrameReader(const FrameCalls* calls)
    : calls_(calls, [](const FrameCalls* closed) { closed->close(closed->frame); }),
      file_(calls->description) {
  int64_t start = 0;
  for (const int64_t stop : std::span(calls->cluster_stops, static_cast<size_t>(calls->num_clusters))) {
    if (stop > start) clusters_.push_back({start, stop});
    start = stop;
  }
  types_.resize(static_cast<size_t>(calls->num_columns));
  std::vector<ColumnInfo> columns;
  for (size_t i = 0; i < static_cast<size_t>(calls->num_columns); ++i) {
    ColumnInfo info;
    info.name = calls->names[i];
    info.stored_type = calls->stored_types[i];
    if (const std::string type = calls->types[i]; !type.empty()) {
      types_[i] = info.type = parse_type(type);
    } else {
      info.unsupported = "values of " + info.stored_type + " can't be taken from a frame";
    }
    columns.push_back(std::move(info));
  }
  ColumnInfo passes;
  passes.name = kFramePasses;
  passes.type = TypeKind::kBool;
  passes.stored_type = "whether the entry passes the frame's filters";
  passes.is_member = true;
  columns.push_back(std::move(passes));
  estimate_sizes(columns);
  schema_ = Schema(std::move(columns));
}

std::vector<StorageBlock> FrameReader::blocks(size_t column) const {
  const double bytes_per_entry = static_cast<double>(schema_[column].uncompressed_bytes) /
                                 static_cast<double>(std::max<int64_t>(num_entries(), 1));
  std::vector<StorageBlock> blocks;
  for (const EntryRange& cluster : clusters_) {
    const auto bytes = static_cast<uint64_t>(bytes_per_entry * static_cast<double>(cluster.size()));
    blocks.push_back({.first_entry = cluster.start, .compressed_bytes = bytes, .uncompressed_bytes = bytes});
  }
  return blocks;
}

std::unique_ptr<FetchedColumns> FrameReader::fetch(std::span<const size_t> columns, EntryRange entries,
                                                   const std::shared_ptr<MemoryPool>& pool,
                                                   const std::stop_token& stop) const {
  if (stop.stop_requested()) throw CancelledError("the event loop was not started");
  if (calls_->whole_clusters && !is_whole_clusters(entries)) {
    throw UnsupportedError(
        "with implicit multithreading ROOT can't read a part of a cluster: disable it, or give more memory",
        {.file = file_, .entries = entries});
  }
  const size_t passes = schema_.size() - 1;
  std::vector<size_t> read(columns.begin(), columns.end());
  std::erase(read, passes);
  const std::vector<Column> rows = read_rows(read, entries, pool);
  std::vector<int64_t> places;
  for (const int64_t entry : rows.front().values.as<const int64_t>()) places.push_back(entry - entries.start);
  auto fetched = std::make_unique<FetchedFrame>();
  for (const size_t column : columns) {
    if (column == passes) {
      fetched->columns.push_back(passing(places, entries.size(), pool));
      continue;
    }
    const auto place = static_cast<size_t>(std::ranges::find(read, column) - read.begin()) + 1;
    fetched->columns.push_back(rows[place].length == entries.size()
                                   ? rows[place]
                                   : spread(rows[place], places, entries.size(), pool));
  }
  return fetched;
}

Column FrameReader::decode(const FetchedColumns& fetched, size_t position, const std::shared_ptr<MemoryPool>&,
                           const Buffer& destination) const {
  const Column& column = static_cast<const FetchedFrame&>(fetched).columns[position];
  if (destination.empty()) return column;
  std::memcpy(destination.data(), column.values.data(), destination.size());
  return make_fixed_width_column(column.type, column.length, destination);
}

bool FrameReader::is_whole_clusters(EntryRange entries) const {
  const auto starts = [&](const EntryRange& cluster) { return cluster.start == entries.start; };
  const auto stops = [&](const EntryRange& cluster) { return cluster.stop == entries.stop; };
  return entries.size() == 0 ||
         (std::ranges::any_of(clusters_, starts) && std::ranges::any_of(clusters_, stops));
}

// The rows' entries, ascending, and the columns.
std::vector<Column> FrameReader::read_rows(const std::vector<size_t>& columns, EntryRange entries,
                                           const std::shared_ptr<MemoryPool>& pool) const {
  Parts parts{.types = {TypeKind::kUInt64}, .pool = pool};
  std::vector<int64_t> wanted;
  for (const size_t column : columns) {
    wanted.push_back(static_cast<int64_t>(column));
    parts.types.push_back(types_[column]);
  }
  std::array<char, 4096> error{};
  const auto take = [](void* context, ArrowArray* arrays) { static_cast<Parts*>(context)->take(arrays); };
  if (entries.size() > 0 && !calls_->read(calls_->frame, wanted.data(), std::ssize(wanted), entries.start,
                                          entries.stop, &parts, take, error.data(), std::ssize(error))) {
    throw IoError(concat("the frame's event loop failed: ", error.data()),
                  {.file = file_, .entries = entries});
  }
  if (parts.error) std::rethrow_exception(parts.error);
  // Copied one by one, so that the pool counts them.
  std::vector<Column> rows;
  for (size_t i = 0; i < parts.types.size(); ++i) {
    std::vector<Column> of_parts{blank_column(parts.types[i], 0, pool)};
    for (std::vector<Column>& part : parts.columns) of_parts.push_back(std::move(part[i]));
    rows.push_back(concatenate(of_parts, pool));
  }
  check_rows(rows, entries);
  return rows;
}

void FrameReader::check_rows(const std::vector<Column>& rows, EntryRange entries) const {
  const std::span<const uint64_t> numbers = rows.front().values.as<const uint64_t>();
  const auto is_out = [&](uint64_t entry) {
    return entry < static_cast<uint64_t>(entries.start) || entry >= static_cast<uint64_t>(entries.stop);
  };
  const bool complete = calls_->drops_rows || std::ssize(numbers) == entries.size();
  if (!complete || std::ranges::any_of(numbers, is_out) ||
      !std::ranges::is_sorted(numbers, std::less_equal<>{})) {
    throw IoError(concat("the frame's event loop gave ", numbers.size(), " rows, not one for each entry"),
                  {.file = file_, .entries = entries});
  }
}

std::vector<EntryRange> FrameReader::sampled_ranges() const {
  std::vector<EntryRange> ranges;
  for (int64_t i = 0; i < kSampledPlaces && !clusters_.empty(); ++i) {
    EntryRange range = clusters_[clusters_.size() * static_cast<size_t>(i) / kSampledPlaces];
    if (!ranges.empty() && ranges.back().start == range.start) continue;
    if (!calls_->whole_clusters) range.stop = std::min(range.stop, range.start + kSampledEntries);
    ranges.push_back(range);
  }
  return ranges;
}

void FrameReader::estimate_sizes(std::vector<ColumnInfo>& columns) const {
  std::vector<size_t> varying;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].unsupported.empty() && fixed_entry_size(columns[i].type) == 0) varying.push_back(i);
    columns[i].uncompressed_bytes = columns[i].compressed_bytes =
        static_cast<uint64_t>(num_entries()) * fixed_entry_size(columns[i].type);
  }
  if (varying.empty()) return;
  int64_t entries = 0;
  std::vector<uint64_t> bytes(varying.size());
  std::vector<int64_t> values(varying.size());
  for (const EntryRange& range : sampled_ranges()) {
    const std::vector<Column> rows = read_rows(varying, range, heap_pool());
    entries += range.size();
    for (size_t i = 0; i < varying.size(); ++i) {
      bytes[i] += rows[i + 1].byte_size();
      values[i] += innermost_values(rows[i + 1]);
    }
  }
  const double scale =
      static_cast<double>(num_entries()) / static_cast<double>(std::max<int64_t>(entries, 1));
  for (size_t i = 0; i < varying.size(); ++i) {
    ColumnInfo& info = columns[varying[i]];
    info.uncompressed_bytes = info.compressed_bytes =
        static_cast<uint64_t>(scale * static_cast<double>(bytes[i]));
    info.values_per_entry =
        static_cast<double>(values[i]) / static_cast<double>(std::max<int64_t>(entries, 1));
  }
}

}  // namespace sapwood
