#include "sapwood/loader/ranks.h"

#include <algorithm>
#include <mutex>
#include <numeric>
#include <queue>

#include "sapwood/base/error.h"
#include "sapwood/base/parallel.h"

namespace sapwood {
namespace {

// Calls visit(entry, copy) for every row of a piece that passes, while that gives true.
template <class Visit>
void for_rows(const StreamUnit& piece, const RowTest& test, const Visit& visit) {
  const size_t file = piece.unit.file;
  if (test.copies) {
    for_copies(*test.copies, piece, [&](int64_t entry, int64_t copy) {
      return !test.filter.keeps(piece.number, file, entry, copy) || visit(entry, copy);
    });
    return;
  }
  for (int64_t entry = piece.unit.entries.start; entry < piece.unit.entries.stop; ++entry) {
    if (test.keeps(piece.number, file, entry) && !visit(entry, int64_t{0})) return;
  }
}

// Calls visit(place) for every row of a piece that passes.
template <class Visit>
void for_places(const StreamUnit& piece, const RankStream& stream, const RowTest& test, const OrderKey& key,
                const Visit& visit) {
  for_rows(piece, test, [&](int64_t entry, int64_t copy) {
    const int64_t position = piece.position + entry - piece.unit.entries.start;
    visit(place_copy(stream.window, key, piece.unit.file, entry, position, piece.reading.pass, copy));
    return true;
  });
}

StreamUnit whole_unit(std::span<const Unit> units, std::span<const Reading> readings, size_t number) {
  return {units[number], number, 0, readings.empty() ? Reading{.unit = number} : readings[number]};
}

// The buckets that rows of a piece may be in.
struct BucketRange {
  int64_t first = 0;
  int64_t last = 0;
};

BucketRange buckets_of(const StreamUnit& piece, const Window& window) {
  const int64_t end = piece.position + std::max<int64_t>(piece.unit.entries.size(), 1);
  return {std::max(window.segment(piece.position), window.first),
          window.last_bucket(window.segment(end - 1))};
}

}  // namespace

int64_t BatchPlan::rows_of(int64_t number, int64_t batch_size) const {
  return rows_before(number + 1, batch_size) - rows_before(number, batch_size);
}

int64_t BatchPlan::rows_before(int64_t number, int64_t batch_size) const {
  if (number >= batches) return rows;
  if (halves_last && number == batches - 1) return rows - batch_size / 2;
  return number * batch_size;
}

BatchPlan plan_batches(int64_t rows, int64_t rank, int64_t world_size, int64_t batch_size,
                       bool drop_remainder) {
  const int64_t fewest = rows / world_size;
  const int64_t own = fewest + (rank < rows % world_size ? 1 : 0);
  if (drop_remainder) {
    const int64_t batches = fewest / batch_size;
    return {batches * batch_size, own - batches * batch_size, batches, false};
  }
  const int64_t most = fewest + (rows % world_size != 0 ? 1 : 0);
  const int64_t batches = (most + batch_size - 1) / batch_size;
  const bool some_are_short = (fewest + batch_size - 1) / batch_size < batches;
  if (some_are_short && fewest == 0) {
    throw ConfigError(concat(rows, rows == 1 ? " row" : " rows", " can't be parted among ", world_size,
                             " ranks: take fewer, or leave the rows out with drop_remainder"));
  }
  if (some_are_short && batch_size == 1) {
    throw ConfigError(concat(rows, " rows in batches of 1 can't be parted evenly among ", world_size,
                             " ranks: leave the rest out with drop_remainder"));
  }
  return {own, 0, batches, some_are_short && own == fewest};
}

bool RowFilter::ClosedLeg::delivered(size_t number, size_t file, int64_t entry, int64_t copy) const {
  for (const Piece& piece : pieces[number]) {
    if (entry < piece.entries.start || entry >= piece.entries.stop || !piece.rows.contains(entry, copy))
      continue;
    const int64_t position = piece.position + entry - piece.entries.start;
    const RowPlace place = place_copy(windows[piece.rank], key, file, entry, position, piece.pass, copy);
    return place <= last[piece.rank];
  }
  return true;  // a unit none of whose rows was left
}

bool RowFilter::keeps(size_t number, size_t file, int64_t entry, int64_t copy) const {
  if (!part_.everything() && !in_part(part_, *split_, file, entry)) return false;
  return std::ranges::none_of(legs_,
                              [&](const ClosedLeg& leg) { return leg.delivered(number, file, entry, copy); });
}

std::vector<int64_t> count_rows(std::span<const Unit> units, const RowTest& test, size_t threads,
                                std::span<const Reading> readings) {
  std::vector<int64_t> rows(units.size());
  parallel_for(units.size(), threads, [&](size_t u) {
    if (test.everything()) {
      rows[u] = units[u].entries.size();
      return;
    }
    for_rows(whole_unit(units, readings, u), test, [&](int64_t, int64_t) { return ++rows[u] > 0; });
  });
  return rows;
}

LegPlan::LegPlan(const EpochOrder& order, std::span<const Leg> closed, int64_t world_size, size_t threads,
                 const std::vector<int64_t>* unit_rows)
    : order_(order),
      world_size_(world_size),
      threads_(threads),
      test_{{order.part, order.split}, order.values, order.copies} {
  if (!closed.empty()) {
    LegPlan before(order, closed.first(closed.size() - 1), closed.back().world_size, threads, unit_rows);
    before.close(closed.back());
    test_.filter = std::move(before.test_.filter);
  }
  order_.key.leg = static_cast<uint32_t>(closed.size());
  streams_.resize(static_cast<size_t>(world_size));
  if (closed.empty() && world_size == 1) {
    deal({});
  } else if (closed.empty() && unit_rows != nullptr) {
    deal(*unit_rows);
  } else {
    deal(count_rows(order_.units, test_, threads, order_.readings));
  }
}

StreamUnit LegPlan::whole(size_t number) const { return whole_unit(order_.units, order_.readings, number); }

// Without counts all goes to the one rank.
void LegPlan::deal(const std::vector<int64_t>& rows) {
  std::vector<size_t> numbers(order_.units.size());
  std::iota(numbers.begin(), numbers.end(), size_t{0});
  if (order_.shuffle)
    numbers = stratified_order(order_.units, order_.sample_of_file, order_.key, order_.readings);

  if (!rows.empty() || world_size_ > 1) {
    rows_ = std::accumulate(rows.begin(), rows.end(), int64_t{0});
  } else if (order_.copies) {
    rows_ = order_.copies->num_rows();
  }
  const auto give = [&](int64_t rank, StreamUnit piece) {
    RankStream& stream = streams_[static_cast<size_t>(rank)];
    piece.position = stream.num_entries;
    stream.num_entries += piece.unit.entries.size();
    stream.units.push_back(piece);
  };
  struct Deficit {
    int64_t rows;
    int64_t rank;
    bool operator<(const Deficit& other) const {
      return rows != other.rows ? rows < other.rows : rank > other.rank;
    }
  };
  std::priority_queue<Deficit> deficits;
  for (int64_t rank = 0; rows_ && rank < world_size_; ++rank) deficits.push({share_of(rank), rank});
  for (const size_t number : numbers) {
    StreamUnit piece = whole(number);
    if (rows.empty()) {
      give(0, piece);
      continue;
    }
    for (int64_t left = rows[number]; left > 0;) {
      const Deficit most = deficits.top();
      deficits.pop();
      if (left <= most.rows) {
        give(most.rank, piece);
        if (left < most.rows) deficits.push({most.rows - left, most.rank});
        break;
      }
      const CopyRange::Place cut = cut_after(piece, most.rows);
      StreamUnit before = piece;
      before.unit.entries.stop = cut.entry + (cut.copy > 0 ? 1 : 0);
      before.rows.end = cut;
      give(most.rank, before);
      piece.unit.entries.start = cut.entry;
      piece.rows.first = cut;
      left -= most.rows;
    }
  }
  for (int64_t rank = 0; rank < world_size_; ++rank) {
    RankStream& stream = streams_[static_cast<size_t>(rank)];
    const bool all_fit = rows_ && share_of(rank) <= order_.buffer_rows;
    int64_t buffer_rows = all_fit ? stream.num_entries : order_.buffer_rows;
    if (!order_.shuffle) {  // its segments are of entries, which may have many copies each
      double densest = 1;
      for (const StreamUnit& piece : stream.units) densest = std::max(densest, piece.reading.rows);
      buffer_rows = static_cast<int64_t>(static_cast<double>(buffer_rows) / densest);
    }
    stream.window = plan_window(stream.num_entries, all_fit ? 1 : kept(rank), buffer_rows, order_.shuffle);
  }
}

int64_t LegPlan::share_of(int64_t rank) const {
  return *rows_ / world_size_ + (rank < *rows_ % world_size_ ? 1 : 0);
}

double LegPlan::kept(int64_t rank) const {
  const int64_t entries = streams_[static_cast<size_t>(rank)].num_entries;
  if (!rows_ || entries == 0) return order_.kept;
  return static_cast<double>(share_of(rank)) / static_cast<double>(entries);
}

// Behind so many rows of a piece, which has more.
CopyRange::Place LegPlan::cut_after(const StreamUnit& piece, int64_t rows) const {
  if (test_.everything()) return {piece.unit.entries.start + rows, 0};
  CopyRange::Place cut;
  for_rows(piece, test_, [&](int64_t entry, int64_t copy) {
    if (rows > 0) {
      cut = {entry + 1, 0};
    } else if (entry < cut.entry) {
      cut = {entry, copy};  // inside the copies of a row
    }
    return --rows >= 0;
  });
  return cut;
}

std::optional<BatchPlan> LegPlan::batches(int64_t rank, int64_t batch_size) const {
  if (!rows_) return std::nullopt;
  return plan_batches(*rows_, rank, world_size_, batch_size, order_.drop_remainder);
}

RowPlace LegPlan::place_after(int64_t rank, int64_t batches, int64_t batch_size) const {
  if (batches == 0) return {};
  const RankStream& stream = streams_[static_cast<size_t>(rank)];
  const auto plan = this->batches(rank, batch_size);
  int64_t rows = plan                               ? plan->rows_before(batches, batch_size)
                 : batches > INT64_MAX / batch_size ? INT64_MAX
                                                    : batches * batch_size;

  std::vector<int64_t> rows_of_bucket(static_cast<size_t>(stream.window.num_buckets()));
  std::mutex mutex;
  parallel_for(stream.units.size(), threads_, [&](size_t u) {
    const StreamUnit& piece = stream.units[u];
    const BucketRange range = buckets_of(piece, stream.window);
    std::vector<int64_t> counts(static_cast<size_t>(range.last - range.first + 1));
    for_places(piece, stream, test_, order_.key,
               [&](const RowPlace& place) { ++counts[static_cast<size_t>(place.bucket - range.first)]; });
    const std::lock_guard lock(mutex);
    for (size_t b = 0; b < counts.size(); ++b)
      rows_of_bucket[static_cast<size_t>(range.first) + b] += counts[b];
  });
  rows = std::min(rows, std::accumulate(rows_of_bucket.begin(), rows_of_bucket.end(), int64_t{0}));
  if (rows == 0) return {};
  int64_t bucket = 0;
  for (; rows_of_bucket[static_cast<size_t>(bucket)] < rows; ++bucket) {
    rows -= rows_of_bucket[static_cast<size_t>(bucket)];
  }

  std::vector<RowPlace> places;
  parallel_for(stream.units.size(), threads_, [&](size_t u) {
    const BucketRange range = buckets_of(stream.units[u], stream.window);
    if (bucket < range.first || bucket > range.last) return;
    std::vector<RowPlace> found;
    for_places(stream.units[u], stream, test_, order_.key, [&](const RowPlace& place) {
      if (place.bucket == bucket) found.push_back(place);
    });
    const std::lock_guard lock(mutex);
    places.insert(places.end(), found.begin(), found.end());
  });
  const auto nth = places.begin() + static_cast<std::ptrdiff_t>(rows - 1);
  std::ranges::nth_element(places, nth);
  return *nth;
}

// Rows that the leg delivered are not kept from here on.
void LegPlan::close(const Leg& leg) {
  RowFilter::ClosedLeg closed;
  closed.key = order_.key;
  closed.pieces.resize(order_.units.size());
  for (size_t rank = 0; rank < streams_.size(); ++rank) {
    closed.windows.push_back(streams_[rank].window);
    closed.last.push_back(place_after(static_cast<int64_t>(rank), leg.batches, leg.batch_size));
    for (const StreamUnit& piece : streams_[rank].units) {
      closed.pieces[piece.number].push_back(
          {piece.unit.entries, rank, piece.position, piece.reading.pass, piece.rows});
    }
  }
  test_.filter.legs_.push_back(std::move(closed));
}

}  // namespace sapwood
