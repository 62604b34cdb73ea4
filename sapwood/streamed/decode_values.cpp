// Numbers, strings and bits: what NodeDecoder reads without looking further.
#include <cstring>

#include "sapwood/streamed/node_decoder.h"

namespace sapwood::streamed {
namespace {

/// So many numbers are turned around one by one.
constexpr uint64_t kFewNumbers = 16;

// uint8 length, or 255 and uint32 length; or always that.
uint32_t read_length(BigEndianCursor& in, bool is_long) {
  if (is_long) return in.read<uint32_t>();
  const auto length = in.read<uint8_t>();
  return length == 255 ? in.read<uint32_t>() : length;
}

}  // namespace

void NodeDecoder::read_bits(StreamInput& in) {
  BigEndianCursor& bytes = in.stream.in();
  const auto bits = bytes.read<uint32_t>();
  if ((bits & root::kIsReferenced) != 0) bytes.skip(2);
  if (keep_) std::memcpy(values_.extend(sizeof bits), &bits, sizeof bits);
}

// uint8 length, or 255 and uint32 length, or always that; characters.
void NodeDecoder::read_strings(StreamInput& in, uint64_t count) {
  constexpr size_t kShort = 32;  // moved at once, whatever the length
  BigEndianCursor& bytes = in.stream.in();
  bytes.require(count, 1);
  std::byte* const ends = keep_ ? offsets_.extend(count * sizeof(int64_t)) : nullptr;
  const Bytes stored = bytes.all();
  size_t at = bytes.position();
  size_t used = values_.size();
  for (uint64_t i = 0; i < count; ++i) {
    size_t length = at < stored.size() ? static_cast<uint8_t>(stored[at]) : UINT8_MAX;
    if (node_.long_length || length == UINT8_MAX) {
      bytes.seek(at);
      length = read_length(bytes, node_.long_length);
      at = bytes.position();
    } else {
      ++at;
    }
    const size_t readable = stored.size() - at;
    if (length > readable) {
      bytes.seek(at);
      bytes.skip(length);  // throws
    }
    if (ends != nullptr) {
      if (length + kShort > values_.capacity() - used) {
        values_.resize(used);
        values_.reserve(length + kShort);
      }
      std::byte* const place = values_.data() + used;
      if (length <= kShort && readable >= kShort) {
        std::memcpy(place, stored.data() + at, kShort);
      } else {
        std::memcpy(place, stored.data() + at, length);
      }
      used += length;
      const auto end = static_cast<int64_t>(used);
      std::memcpy(ends + i * sizeof end, &end, sizeof end);
    }
    at += length;
  }
  bytes.seek(at);
  if (ends != nullptr) values_.resize(used);
}

// Lists of numbers, each a uint32 count and as many.
void NodeDecoder::read_number_lists(StreamInput& in, uint64_t count) {
  BigEndianCursor& bytes = in.stream.in();
  bytes.require(count, sizeof(uint32_t));
  NodeDecoder& numbers = item();
  std::byte* ends = keep_ ? offsets_.extend(count * sizeof(int64_t)) : nullptr;
  int64_t end = numbers.length_;
  for (uint64_t i = 0; i < count; ++i) {
    const auto size = bytes.read<uint32_t>();
    const std::byte* stored = bytes.take(size_t{size} * numbers.node_.number.stored_size).data();
    end += size;
    if (ends == nullptr) continue;
    numbers.append_numbers(stored, size);
    std::memcpy(ends + i * sizeof end, &end, sizeof end);
  }
  numbers.length_ = end;
}

void NodeDecoder::append_numbers(const std::byte* stored, uint64_t count) {
  std::byte* const out = values_.extend(count * value_size_);
  if (count > kFewNumbers || !decode_few_numbers(node_.number, stored, out, count))
    decode_numbers(node_.number, stored, out, count);
}

void NodeDecoder::read_bitset(StreamInput& in) {
  BigEndianCursor& bytes = in.stream.in();
  const auto count = bytes.read<uint32_t>();
  if (count != node_.size) bytes.fail(concat(node_.size, " bits, not ", count));
  const Bytes bits = bytes.take(count);
  if (!keep_) return;
  std::byte* out = values_.extend(count);
  for (uint32_t i = 0; i < count; ++i) out[i] = std::byte{bits[i] != std::byte{0}};
}

}  // namespace sapwood::streamed
