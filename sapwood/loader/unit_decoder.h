#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "sapwood/loader/pipeline.h"
#include "sapwood/loader/staging.h"

namespace sapwood {

/// A decoded unit, or a piece of one, while its rows are staged, which may take several goes when it reaches
/// further than the window.
struct DecodedUnit {
  StreamUnit place;
  ErrorContext context;
  std::vector<uint8_t> in_parts{};  ///< whether each entry is in the divisions' parts, or empty: all are
  std::optional<RowWriter> writer{};
  std::shared_ptr<const CachedRows> cached{};  ///< instead of the writer
  int64_t staged = 0;                          ///< entries
  uint64_t decoding_bytes = 0;                 ///< that it is charged with
  std::optional<UnitCopies> copies{};          ///< of what is not yet staged, in a balanced epoch

  int64_t begin() const { return place.position + staged; }  ///< in the stream, of what is left
  int64_t end() const { return place.position + place.unit.entries.size(); }
  /// Stages the entries up to stream position `end`.
  void stage(const EpochPlan& plan, int64_t end, WorkerStaging& staging);

 private:
  void stage_copies(const EpochPlan& plan, int64_t end, WorkerStaging& staging);
};

/// What became of a unit: pieces to stage, and entries that can't be read.
struct DecodedPieces {
  std::vector<std::unique_ptr<DecodedUnit>> pieces{};
  std::vector<std::pair<StreamUnit, std::string>> failed{};  ///< with what is wrong
};

/// A unit's stored bytes.
struct FetchedRows {
  FetchedUnit unit{};             ///< without columns where fetching failed, or no row passes
  std::vector<uint8_t> passes{};  ///< whether each entry passes the filters that were read first, if any
  bool none_pass = false;
  uint64_t held_bytes = 0;  ///< memory that the stored bytes take
};

/// Fetches units, and turns them into rows, or into what rows are written from. Safe from many threads.
class UnitDecoder {
 public:
  UnitDecoder(const EpochPlan& plan, std::shared_ptr<MemoryPool> pool, std::stop_token stop)
      : plan_(plan), pool_(std::move(pool)), stop_(std::move(stop)) {}
  /// The unit's rows from the cache, or null.
  std::unique_ptr<DecodedUnit> find(const StreamUnit& unit) const;
  /// Reads what is stored of a unit. Throws as `Dataset::fetch`, and what filters throw.
  FetchedRows fetch(const Unit& unit) const;
  /// Whole, with rows that stay where the cache has room; or, where bytes are wrong and may be skipped,
  /// cluster by cluster.
  DecodedPieces decode(const StreamUnit& unit, FetchedRows fetched) const;
  /// The rows that would have come from entries that failed, as far as can be told without their values.
  int64_t count_rows(const StreamUnit& unit) const;

 private:
  std::unique_ptr<DecodedUnit> decode_whole(const StreamUnit& unit, FetchedRows fetched) const;
  DecodedPieces decode_clusters(const StreamUnit& unit, const FormatError& error) const;
  void keep_rows(DecodedUnit& decoded) const;

  const EpochPlan& plan_;
  std::shared_ptr<MemoryPool> pool_;
  std::stop_token stop_;
};

}  // namespace sapwood
