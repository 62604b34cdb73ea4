#include "sapwood/loader/unit_decoder.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

namespace sapwood {
namespace {

// Rows up to this one are not staged again: but all of a bucket that may be repeated.
RowPlace delivered_before(const EpochPlan& plan) {
  return plan.may_repeat() ? RowPlace{plan.after.bucket - 1, UINT64_MAX} : plan.after;
}

FetchedRows held(FetchedRows fetched) {
  fetched.held_bytes = fetched.unit.columns ? fetched.unit.columns->held_bytes() : 0;
  return fetched;
}

}  // namespace

void DecodedUnit::stage(const EpochPlan& plan, int64_t end, WorkerStaging& staging) {
  if (plan.copies) {
    stage_copies(plan, end, staging);
    return;
  }
  const EntryRange& all = place.unit.entries;
  const bool everything = plan.filter->everything();
  const std::vector<uint8_t>& included = cached ? cached->in_parts() : in_parts;
  const RowPlace delivered = delivered_before(plan);
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
        staging.refer(to.bucket, cached->row(i), to.key);
        continue;
      }
      entries[count] = i;
      rows[count++] = staging.append(to.bucket, writer->row_size(i), to.key);
    }
    if (count > 0) writer->write({entries.data(), count}, {rows.data(), count});
    staged = tile_end;
  }
}

void DecodedUnit::stage_copies(const EpochPlan& plan, int64_t end, WorkerStaging& staging) {
  const EntryRange& all = place.unit.entries;
  const bool everything = plan.filter->everything();
  const RowPlace delivered = delivered_before(plan);
  if (!copies) copies.emplace(*plan.copies, place.reading, all.start);
  struct Again {
    const std::byte* row;
    std::byte* to;
    size_t size;
  };
  std::array<int64_t, RowWriter::kTile> entries;
  std::array<std::byte*, RowWriter::kTile> rows;
  std::vector<Again> again;  // a row is written once, and copied
  while (begin() < end) {
    const int64_t tile_end =
        std::min((staged / RowWriter::kTile + 1) * RowWriter::kTile, end - place.position);
    size_t count = 0;
    again.clear();
    for (; staged < tile_end; ++staged) {
      const int64_t position = begin();
      const int64_t entry = all.start + staged;
      const int64_t num_copies = copies->next();
      for (int64_t copy = 0; copy < num_copies; ++copy) {
        if (!place.rows.contains(entry, copy)) continue;
        if (!everything && !plan.filter->keeps(place.number, place.unit.file, entry, copy)) continue;
        const RowPlace to = place_copy(plan.stream.window, plan.key, place.unit.file, entry, position,
                                       place.reading.pass, copy);
        if (to <= delivered) continue;
        if (cached) {
          staging.refer(to.bucket, cached->row(staged), to.key);
          continue;
        }
        const size_t size = writer->row_size(staged);
        std::byte* row = staging.append(to.bucket, size, to.key);
        if (count > 0 && entries[count - 1] == staged) {
          again.push_back({rows[count - 1], row, size});
        } else {
          entries[count] = staged;
          rows[count++] = row;
        }
      }
    }
    if (count > 0) writer->write({entries.data(), count}, {rows.data(), count});
    for (const Again& copy : again) std::memcpy(copy.to, copy.row, copy.size);
  }
}

std::unique_ptr<DecodedUnit> UnitDecoder::find(const StreamUnit& unit) const {
  auto cached = plan_.pools->cache.find(unit.reading.unit, unit.unit.entries);
  if (!cached) return nullptr;
  return std::make_unique<DecodedUnit>(DecodedUnit{.place = unit, .context = {}, .cached = cached});
}

FetchedRows UnitDecoder::fetch(const Unit& unit) const {
  const Dataset& dataset = *plan_.dataset;
  if (!plan_.prefilter) return held({.unit = dataset.fetch(unit, plan_.selection, pool_, stop_)});
  const Prefilter& prefilter = *plan_.prefilter;
  FetchedUnit first = dataset.fetch(unit, prefilter.selection, pool_, stop_);
  const std::vector<Column> columns = dataset.decode(first, prefilter.selection, pool_, stop_);
  std::vector<size_t> places(columns.size());
  std::iota(places.begin(), places.end(), size_t{0});
  std::vector<uint8_t> passes = with_context(
      first.context(), [&] { return rows_in_parts({prefilter.part}, {places}, columns, pool_); });
  const bool none_pass = std::ranges::all_of(passes, [](uint8_t pass) { return pass == 0; });
  if (!none_pass) first = dataset.fetch(unit, plan_.selection, pool_, stop_);
  return held({std::move(first), std::move(passes), none_pass});
}

DecodedPieces UnitDecoder::decode(const StreamUnit& unit, FetchedRows fetched) const {
  DecodedPieces decoded;
  try {
    if (!fetched.unit.columns && !fetched.none_pass) fetched = fetch(unit.unit);
    decoded.pieces.push_back(decode_whole(unit, std::move(fetched)));
    if (decoded.pieces.back()->writer) keep_rows(*decoded.pieces.back());
  } catch (const FormatError& error) {
    if (plan_.on_error == OnError::kRaise) throw;
    decoded = decode_clusters(unit, error);
  }
  return decoded;
}

std::unique_ptr<DecodedUnit> UnitDecoder::decode_whole(const StreamUnit& unit, FetchedRows fetched) const {
  const ErrorContext context = fetched.unit.context();
  if (fetched.none_pass) {
    return std::make_unique<DecodedUnit>(
        DecodedUnit{.place = unit, .context = context, .in_parts = std::move(fetched.passes)});
  }
  std::vector<Column> columns = plan_.dataset->decode(fetched.unit, plan_.selection, pool_);
  return with_context(context, [&] {
    auto decoded = std::make_unique<DecodedUnit>(
        DecodedUnit{.place = unit,
                    .context = context,
                    .in_parts = rows_in_parts(plan_.divisions, plan_.division_columns, columns, pool_,
                                              std::move(fetched.passes))});
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
      decoded.pieces.push_back(decode_whole(piece, fetch(piece.unit)));
    } catch (const FormatError& of_piece) {
      decoded.failed.emplace_back(piece, of_piece.what());
    }
  }
  return decoded;
}

void UnitDecoder::keep_rows(DecodedUnit& decoded) const {
  RowCache& cache = plan_.pools->cache;
  const uint64_t bytes =
      plan_.memory.cache == 0 ? 0 : CachedRows::bytes_of(*decoded.writer, decoded.in_parts);
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
  decoded.cached =
      cache.insert(decoded.place.reading.unit, decoded.place.unit.entries, std::move(rows), bytes);
  if (decoded.cached) decoded.writer.reset();
}

int64_t UnitDecoder::count_rows(const StreamUnit& unit) const {
  const EntryRange& entries = unit.unit.entries;
  int64_t rows = 0;
  if (plan_.copies) {
    for_copies(*plan_.copies, unit, [&](int64_t entry, int64_t copy) {
      rows += plan_.filter->keeps(unit.number, unit.unit.file, entry, copy) ? 1 : 0;
      return true;
    });
    return rows;
  }
  if (plan_.filter->everything()) return entries.size();
  for (int64_t entry = entries.start; entry < entries.stop; ++entry)
    rows += plan_.filter->keeps(unit.number, unit.unit.file, entry) ? 1 : 0;
  return rows;
}

}  // namespace sapwood
