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
                                   std::span<const std::span<std::byte>> outs) const {
  for (size_t i = 0; i < ranges.size(); ++i) read_at(ranges[i].offset, outs[i].first(ranges[i].size));
}

CoalescedRead::CoalescedRead(const RandomAccessFile& file, std::span<const ByteRange> ranges,
                             const std::shared_ptr<MemoryPool>& pool, uint64_t max_gap)
    : views_(ranges.size()) {
  std::vector<size_t> order;
  order.reserve(ranges.size());
  for (size_t i = 0; i < ranges.size(); ++i) {
    require_inside(file, ranges[i]);
    if (ranges[i].size != 0) order.push_back(i);
  }
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return ranges[a].offset < ranges[b].offset; });

  std::vector<ByteRange> requests;
  std::vector<size_t> request_of(ranges.size());
  for (const size_t i : order) {
    const ByteRange& range = ranges[i];
    if (!requests.empty()) {
      ByteRange& last = requests.back();
      const uint64_t end = last.offset + last.size;
      if (range.offset <= end || range.offset - end < max_gap) {
        last.size = std::max(end, range.offset + range.size) - last.offset;
        request_of[i] = requests.size() - 1;
        continue;
      }
    }
    request_of[i] = requests.size();
    requests.push_back(range);
  }

  std::vector<std::span<std::byte>> outs;
  buffers_.reserve(requests.size());
  outs.reserve(requests.size());
  for (const ByteRange& request : requests) {
    buffers_.emplace_back(request.size, pool);
    outs.push_back(buffers_.back().as<std::byte>());
  }
  file.read_vector(requests, outs);
  for (const size_t i : order) {
    const size_t request = request_of[i];
    views_[i] = Bytes(outs[request]).subspan(ranges[i].offset - requests[request].offset, ranges[i].size);
  }
}

}  // namespace sapwood::io
