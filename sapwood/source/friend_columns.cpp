#include "sapwood/source/friend_columns.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sapwood {
namespace {

struct RangeOfFile {
  size_t file;
  EntryRange entries;  // in the file's own entries
};

// The parts of files that hold these entries of a source, in order.
std::vector<RangeOfFile> ranges_of(const Source& source, EntryRange entries) {
  const std::vector<FileInfo>& files = source.files();
  const auto next = std::ranges::upper_bound(files, entries.start, {}, &FileInfo::first_entry);
  std::vector<RangeOfFile> ranges;
  for (auto file = next - 1; file != files.end() && file->first_entry < entries.stop; ++file) {
    const EntryRange range{std::max<int64_t>(0, entries.start - file->first_entry),
                           std::min(file->num_entries, entries.stop - file->first_entry)};
    if (range.size() > 0) ranges.push_back({static_cast<size_t>(file - files.begin()), range});
  }
  return ranges;
}

/// Entries so near each other are read with those between them.
constexpr int64_t kLargestGap = 4096;

}  // namespace

FriendColumns::FriendColumns(std::shared_ptr<const Source> source, const std::vector<size_t>& places,
                             const std::string& prefix, std::shared_ptr<const FriendEntries> entries)
    : source_(std::move(source)), entries_(std::move(entries)) {
  std::vector<ColumnInfo> columns;
  for (const size_t place : places) {
    columns.push_back(source_->schema()[place]);
    names_.push_back(columns.back().name);
    if (!prefix.empty()) columns.back().name = concat(prefix, ".", names_.back());
  }
  schema_ = Schema(std::move(columns));
}

// Of a friend joined by keys what its entries take on average: where they are depends on each.
ColumnOutline FriendColumns::outline(size_t column, EntryRange entries, int64_t origin) const {
  if (entries_ != nullptr) {
    const ColumnInfo& info = schema_[column];
    const double share = static_cast<double>(entries.size()) /
                         static_cast<double>(std::max<int64_t>(source_->files().front().stored_entries, 1));
    const auto part = [&](uint64_t bytes) {
      return static_cast<uint64_t>(static_cast<double>(bytes) * share);
    };
    return {.blocks = {{.first_entry = entries.start - origin,
                        .compressed_bytes = part(info.compressed_bytes),
                        .uncompressed_bytes = part(info.uncompressed_bytes)}},
            .values_per_entry = info.values_per_entry};
  }
  ColumnOutline whole{.values_per_entry = 0};
  for (const auto& [file, range] : ranges_of(*source_, entries)) {
    const int64_t first = source_->files()[file].first_entry - origin;
    const ColumnOutline part = source_->outline(file, names_[column], range);
    for (StorageBlock block : part.blocks) {
      block.first_entry = std::max(block.first_entry, range.start) + first;
      whole.blocks.push_back(block);
    }
    whole.values_per_entry +=
        part.values_per_entry * static_cast<double>(range.size()) / static_cast<double>(entries.size());
  }
  return whole;
}

FetchedFriend FriendColumns::fetch(std::vector<size_t> columns, EntryRange entries,
                                   const std::shared_ptr<MemoryPool>& pool,
                                   const std::stop_token& stop) const {
  FetchedFriend fetched{.columns = std::move(columns)};
  if (fetched.columns.empty()) return fetched;
  std::vector<EntryRange> ranges{entries};
  if (entries_ != nullptr) {
    const auto wanted =
        std::span(*entries_).subspan(static_cast<size_t>(entries.start), static_cast<size_t>(entries.size()));
    find_rows(wanted, fetched, ranges);
  }
  std::vector<std::string> names;
  for (const size_t column : fetched.columns) names.push_back(names_[column]);
  for (const EntryRange& range : ranges) {
    for (const RangeOfFile& part : ranges_of(*source_, range)) {
      with_context({source_->files()[part.file].path, source_->tree(), {}, part.entries}, [&] {
        auto reader = source_->reader(part.file);
        auto stored = reader->fetch(source_->column_indices(*reader, names), part.entries, pool, stop);
        fetched.pieces.push_back({std::move(reader), part.entries, std::move(stored)});
      });
    }
  }
  return fetched;
}

// The ranges of the friend's entries to be read, ascending, and where in these the wanted ones are.
void FriendColumns::find_rows(std::span<const int64_t> wanted, FetchedFriend& fetched,
                              std::vector<EntryRange>& ranges) const {
  fetched.length = static_cast<int64_t>(wanted.size());
  std::vector<int64_t> sorted;
  for (const int64_t entry : wanted) {
    if (entry >= 0) sorted.push_back(entry);
  }
  std::ranges::sort(sorted);
  ranges.clear();
  for (const int64_t entry : sorted) {
    if (ranges.empty() || entry > ranges.back().stop + kLargestGap) ranges.push_back({entry, entry});
    ranges.back().stop = entry + 1;
  }
  std::vector<int64_t> begins;  // of the ranges, among the entries of all
  int64_t total = 0;
  for (const EntryRange& range : ranges) {
    begins.push_back(total);
    total += range.size();
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] < 0) continue;
    fetched.places.push_back(static_cast<int64_t>(i));
    const auto next = std::ranges::upper_bound(ranges, wanted[i], {}, &EntryRange::start);
    const auto range = static_cast<size_t>(next - ranges.begin()) - 1;
    const int64_t row = begins[range] + wanted[i] - ranges[range].start;
    if (!fetched.rows.empty() && fetched.rows.back().stop == row) {
      ++fetched.rows.back().stop;
    } else {
      fetched.rows.push_back({row, row + 1});
    }
  }
}

Column FriendColumns::decode(const FetchedFriend& fetched, size_t position,
                             const std::shared_ptr<MemoryPool>& pool, const Buffer& destination) const {
  if (entries_ == nullptr) return decode_pieces(fetched, position, pool, destination);
  const Type& type = schema_[fetched.columns[position]].type;
  Column column =
      fetched.pieces.empty() ? blank_column(type, 0, pool) : decode_pieces(fetched, position, pool, {});
  const bool is_in_order = fetched.rows.size() == 1 && fetched.rows.front().size() == column.length;
  if (!is_in_order) column = entries_of(column, fetched.rows, pool);
  if (column.length < fetched.length) column = spread(column, fetched.places, fetched.length, pool);
  if (destination.empty() || fixed_entry_size(type) == 0) return column;
  const Buffer values = fixed_width_values(column);
  std::memcpy(destination.data(), values.data(), std::min(values.size(), destination.size()));
  return make_fixed_width_column(type, column.length, destination);
}

Column FriendColumns::decode_pieces(const FetchedFriend& fetched, size_t position,
                                    const std::shared_ptr<MemoryPool>& pool,
                                    const Buffer& destination) const {
  const ColumnInfo& info = schema_[fetched.columns[position]];
  const auto decode_piece = [&](const FetchedFriend::Piece& piece, const Buffer& part) {
    return with_context({piece.reader->file(), piece.reader->object(), info.name, piece.entries},
                        [&] { return piece.reader->decode(*piece.columns, position, pool, part); });
  };
  if (fetched.pieces.size() == 1) return decode_piece(fetched.pieces.front(), destination);

  const size_t width = fixed_entry_size(info.type);
  if (width == 0) {
    std::vector<Column> parts{blank_column(info.type, 0, pool)};  // for where there are no entries
    for (const FetchedFriend::Piece& piece : fetched.pieces) parts.push_back(decode_piece(piece, {}));
    return concatenate(parts, pool);
  }
  int64_t length = 0;
  for (const FetchedFriend::Piece& piece : fetched.pieces) length += piece.entries.size();
  const Buffer whole = destination.empty() ? Buffer(width * static_cast<size_t>(length), pool) : destination;
  std::byte* next = whole.data();
  for (const FetchedFriend::Piece& piece : fetched.pieces) {
    const size_t bytes = width * static_cast<size_t>(piece.entries.size());
    decode_piece(piece, Buffer::wrap(next, bytes, nullptr));
    next += bytes;
  }
  return make_fixed_width_column(info.type, length, whole);
}

}  // namespace sapwood
