#include <algorithm>
#include <numeric>

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

CoalescedRead::CoalescedRead(const RandomAccessFile& file, std::span<const ByteRange> ranges,
                             const std::shared_ptr<MemoryPool>& pool, uint64_t max_gap,
                             const std::stop_token& stop)
    : views_(ranges.size()) {
  std::vector<size_t> order;
  order.reserve(ranges.size());
  for (size_t i = 0; i < ranges.size(); ++i) {
    require_inside(file, ranges[i]);
    if (ranges[i].size != 0) order.push_back(i);
  }
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return ranges[a].offset < ranges[b].offset; });

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
    file.read_vector(request, std::span(outs).subspan(first), stop);
  }
  for (const size_t i : order) {
    const size_t place = joined_of[i];
    views_[i] = Bytes(outs[place]).subspan(ranges[i].offset - joined[place].offset, ranges[i].size);
  }
}

}  // namespace sapwood::io
