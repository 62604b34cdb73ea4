#include "sapwood/loader/unit_decoder.h"

#include <algorithm>
#include <array>

namespace sapwood {

void DecodedUnit::stage(const EpochPlan& plan, int64_t end, WorkerStaging& staging) {
  const EntryRange& all = place.unit.entries;
  const bool everything = plan.filter->everything();
  const std::vector<uint8_t>& included = cached ? cached->in_parts() : in_parts;
  // All of a bucket that may be repeated.
  RowPlace delivered = plan.after;
  if (plan.may_repeat()) delivered = {plan.after.bucket - 1, UINT64_MAX, UINT64_MAX};
  std::array<int64_t, RowWriter::kTile> entries;
  std::array<std::byte*, RowWriter::kTile> rows;
  std::array<RowPlace, RowWriter::kTile> places;
  while (begin() < end) {
    const int64_t tile = staged;
    const int64_t tile_end = std::min((tile / RowWriter::kTile + 1) * RowWriter::kTile, end - place.position);
    size_t count = 0;
    place_rows(plan.stream.window, plan.key, place.unit.file, all.start + tile, begin(),
               std::span(places).first(static_cast<size_t>(tile_end - tile)));
    for (int64_t i = tile; i < tile_end; ++i) {
      if (!included.empty() && included[static_cast<size_t>(i)] == 0) continue;
      if (!everything && !plan.filter->keeps(place.number, place.unit.file, all.start + i)) continue;
      const RowPlace& to = places[static_cast<size_t>(i - tile)];
      if (to <= delivered) continue;
      if (cached) {
        staging.refer(to.bucket, cached->row(i), to.key, to.position);
        continue;
      }
      entries[count] = i;
      rows[count++] = staging.append(to.bucket, writer->row_size(i), to.key, to.position);
    }
    if (count > 0) writer->write({entries.data(), count}, {rows.data(), count});
    staged = tile_end;
  }
}

std::unique_ptr<DecodedUnit> UnitDecoder::find(const StreamUnit& unit) const {
  auto cached = plan_.pools->cache.find(unit.number, unit.unit.entries);
  if (!cached) return nullptr;
  return std::make_unique<DecodedUnit>(DecodedUnit{.place = unit, .context = {}, .cached = cached});
}

DecodedPieces UnitDecoder::decode(const StreamUnit& unit, FetchedUnit fetched) const {
  DecodedPieces decoded;
  try {
    if (!fetched.columns) fetched = plan_.dataset->fetch(unit.unit, plan_.selection, pool_, stop_);
    decoded.pieces.push_back(decode_whole(unit, std::move(fetched)));
    keep_rows(*decoded.pieces.back());
  } catch (const FormatError& error) {
    if (plan_.on_error == OnError::kRaise) throw;
    decoded = decode_clusters(unit, error);
  }
  return decoded;
}

std::unique_ptr<DecodedUnit> UnitDecoder::decode_whole(const StreamUnit& unit, FetchedUnit fetched) const {
  std::vector<Column> columns = plan_.dataset->decode(fetched, plan_.selection, pool_);
  const ErrorContext context = fetched.context();
  return with_context(context, [&] {
    auto decoded = std::make_unique<DecodedUnit>(
        DecodedUnit{.place = unit, .context = context, .in_parts = rows_in_parts(columns)});
    columns.resize(plan_.format->columns().size());
    decoded->writer.emplace(*plan_.format, std::move(columns), pool_);
    return decoded;
  });
}

DecodedPieces UnitDecoder::decode_clusters(const StreamUnit& unit, const FormatError& error) const {
  DecodedPieces decoded;
  for (const EntryRange& cluster : plan_.dataset->source().files()[unit.unit.file].clusters) {
    StreamUnit piece = unit;
    EntryRange& entries = piece.unit.entries;
    entries = {std::max(entries.start, cluster.start), std::min(entries.stop, cluster.stop)};
    if (entries.size() <= 0) continue;
    piece.position += entries.start - unit.unit.entries.start;
    if (entries == unit.unit.entries) {
      decoded.failed.emplace_back(piece, error.what());
      continue;
    }
    try {
      FetchedUnit fetched = plan_.dataset->fetch(piece.unit, plan_.selection, pool_, stop_);
      decoded.pieces.push_back(decode_whole(piece, std::move(fetched)));
    } catch (const FormatError& of_piece) {
      decoded.failed.emplace_back(piece, of_piece.what());
    }
  }
  return decoded;
}

std::vector<uint8_t> UnitDecoder::rows_in_parts(const std::vector<Column>& columns) const {
  std::vector<uint8_t> in_parts;
  for (size_t d = 0; d < plan_.divisions.size(); ++d) {
    const auto& [division, parts] = plan_.divisions[d];
    std::vector<Column> read;
    for (const size_t column : plan_.division_columns[d]) read.push_back(columns[column]);
    const std::vector<uint8_t> numbers = division->parts_of(std::move(read), pool_);
    in_parts.resize(numbers.size(), 1);
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (!parts[numbers[i]]) in_parts[i] = 0;
    }
  }
  return in_parts;
}

void UnitDecoder::keep_rows(DecodedUnit& decoded) const {
  RowCache& cache = plan_.pools->cache;
  const uint64_t bytes = plan_.memory.cache == 0 ? 0 : CachedRows::bytes_of(*decoded.writer);
  if (bytes == 0 || !cache.reserve(bytes)) return;
  std::shared_ptr<const CachedRows> rows;
  try {
    rows = with_context(decoded.context, [&] {
      return std::make_shared<const CachedRows>(*decoded.writer, decoded.in_parts, pool_);
    });
  } catch (...) {
    cache.release(bytes);
    throw;
  }
  decoded.cached = cache.insert(decoded.place.number, decoded.place.unit.entries, std::move(rows), bytes);
  if (decoded.cached) decoded.writer.reset();
}

int64_t UnitDecoder::count_rows(const StreamUnit& unit) const {
  const EntryRange& entries = unit.unit.entries;
  if (plan_.filter->everything()) return entries.size();
  int64_t rows = 0;
  for (int64_t entry = entries.start; entry < entries.stop; ++entry)
    rows += plan_.filter->keeps(unit.number, unit.unit.file, entry) ? 1 : 0;
  return rows;
}

}  // namespace sapwood
