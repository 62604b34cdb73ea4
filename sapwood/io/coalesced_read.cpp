#include <algorithm>
#include <numeric>
#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/io/random_access_file.h"

namespace sapwood::io {
namespace {

void require_inside(const RandomAccessFile& file, const ByteRange& range) {
  if (range.offset <= file.size() && range.size <= file.size() - range.offset) return;
  throw FormatError(
      concat("the file ends too early: ", range.size, " bytes wanted at ", range.offset, " of ", file.size()),
      {.file = file.uri()});
}

}  // namespace

void RandomAccessFile::read_vector(std::span<const ByteRange> ranges,
                                   std::span<const std::span<std::byte>> outs,
                                   const std::stop_token& stop) const {
  for (size_t i = 0; i < ranges.size(); ++i) read_at(ranges[i].offset, outs[i].first(ranges[i].size), stop);
}

bool RandomAccessFile::is_at_hand(const ByteRange& /*range*/) const { return false; }

Bytes StoredBytes::first(size_t count, ScratchBuffer& scratch) const {
  if (read_ == nullptr) return bytes_.first(count);
  const std::span<std::byte> out = scratch.get(count);
  read_->file_.read_at(range_.offset, out, read_->stop_);
  return out;
}

CoalescedRead::CoalescedRead(const RandomAccessFile& file, std::span<const ByteRange> ranges,
                             const std::shared_ptr<MemoryPool>& pool, uint64_t max_gap, std::stop_token stop)
    : file_(file), stop_(std::move(stop)), views_(ranges.size()) {
  std::vector<size_t> order;
  order.reserve(ranges.size());
  for (size_t i = 0; i < ranges.size(); ++i) {
    require_inside(file, ranges[i]);
    if (ranges[i].size != 0) order.push_back(i);
  }
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return ranges[a].offset < ranges[b].offset; });
  leave_at_hand(ranges, order, max_gap);

  // Ranges that touch or overlap are read as one; those that are near each other share a request.
  std::vector<ByteRange> joined;
  std::vector<size_t> joined_of(ranges.size());
  std::vector<size_t> first_of_request;
  for (const size_t i : order) {
    const ByteRange& range = ranges[i];
    const uint64_t end = joined.empty() ? 0 : joined.back().offset + joined.back().size;
    if (!joined.empty() && range.offset <= end) {
      joined.back().size = std::max(end, range.offset + range.size) - joined.back().offset;
    } else {
      if (joined.empty() || range.offset - end >= max_gap) first_of_request.push_back(joined.size());
      joined.push_back(range);
    }
    joined_of[i] = joined.size() - 1;
  }
  first_of_request.push_back(joined.size());

  std::vector<std::span<std::byte>> outs;
  outs.reserve(joined.size());
  for (size_t r = 0; r + 1 < first_of_request.size(); ++r) {
    const size_t first = first_of_request[r];
    const auto request = std::span(joined).subspan(first, first_of_request[r + 1] - first);
    size_t size = 0;
    for (const ByteRange& range : request) size += range.size;
    buffers_.emplace_back(size, pool);
    std::span<std::byte> left = buffers_.back().as<std::byte>();
    for (const ByteRange& range : request) {
      outs.push_back(left.first(range.size));
      left = left.subspan(range.size);
    }
    file.read_vector(request, std::span(outs).subspan(first), stop_);
  }
  for (const size_t i : order) {
    const size_t place = joined_of[i];
    views_[i] = Bytes(outs[place]).subspan(ranges[i].offset - joined[place].offset, ranges[i].size);
  }
}

uint64_t CoalescedRead::held_bytes() const {
  uint64_t bytes = 0;
  for (const Buffer& buffer : buffers_) bytes += buffer.size();
  return bytes;
}

// Takes those ranges that are to stay where they are out of the ascending `order`.
void CoalescedRead::leave_at_hand(std::span<const ByteRange> ranges, std::vector<size_t>& order,
                                  uint64_t max_gap) {
  std::vector<Run> runs;
  for (size_t i = 0; i < order.size(); ++i) {
    const ByteRange& range = ranges[order[i]];
    if (runs.empty() || (range.offset > runs.back().end && range.offset - runs.back().end >= max_gap)) {
      runs.push_back({.first = i, .begin = range.offset});
    }
    runs.back().stop = i + 1;
    runs.back().end = std::max(runs.back().end, range.offset + range.size);
  }
  look_for(runs);
  std::vector<size_t> wanted;
  for (const Run& run : runs) {
    for (const size_t i : std::span(order).subspan(run.first, run.stop - run.first)) {
      if (run.at_hand && ranges[i].size >= kSmallestLeft) {
        views_[i] = {*this, ranges[i]};
      } else {
        wanted.push_back(i);
      }
    }
  }
  order.swap(wanted);
}

// Looking at many small runs would cost as much as reading some of them: where the first, the last and some
// between them are at hand, all are taken to be.
void CoalescedRead::look_for(std::span<Run> runs) const {
  constexpr uint64_t kLookApart = uint64_t{4} << 20;
  const auto is_at_hand = [&](const Run& run) { return file_.is_at_hand({run.begin, run.end - run.begin}); };
  uint64_t looked_at = 0;
  bool all = true;
  for (size_t i = 0; i < runs.size() && all; ++i) {
    const bool looks = i == 0 || i + 1 == runs.size() || runs[i].begin - looked_at >= kLookApart;
    if (!looks) continue;
    all = is_at_hand(runs[i]);
    looked_at = runs[i].begin;
  }
  for (Run& run : runs) run.at_hand = all || is_at_hand(run);
}

}  // namespace sapwood::io
