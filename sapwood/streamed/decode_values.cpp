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

/// Strings up to this length are moved at once.
constexpr size_t kShortString = 32;

void copy_string(const std::byte* from, size_t readable, size_t length, std::byte* to) {
  if (length <= kShortString && readable >= kShortString) {
    std::memcpy(to, from, kShortString);
  } else {
    std::memcpy(to, from, length);
  }
}

void store_end(std::byte* ends, size_t index, size_t end) {
  const auto offset = static_cast<int64_t>(end);
  std::memcpy(ends + index * sizeof offset, &offset, sizeof offset);
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
      copy_string(stored.data() + at, readable, length, values_.place(used, length + kShortString));
      used += length;
      store_end(ends, i, used);
    }
    at += length;
  }
  bytes.seek(at);
  if (ends != nullptr) values_.resize(used);
}

// Strings that fill their entries and are short, up to the first that is not. Gives how many.
size_t NodeDecoder::read_short_strings(Bytes stored, std::span<const int64_t> positions) {
  const size_t most = positions.size() - 1;
  const size_t before = offsets_.size();
  std::byte* const ends = offsets_.extend(most * sizeof(int64_t));
  size_t used = values_.size();
  size_t i = 0;
  for (; i < most; ++i) {
    const auto at = static_cast<size_t>(positions[i]);
    const auto size = static_cast<size_t>(positions[i + 1] - positions[i]);
    if (node_.long_length || size == 0 || size > UINT8_MAX || static_cast<size_t>(stored[at]) != size - 1)
      break;
    copy_string(stored.data() + at + 1, stored.size() - at - 1, size - 1,
                values_.place(used, size + kShortString));
    used += size - 1;
    store_end(ends, i, used);
  }
  offsets_.resize(before + i * sizeof(int64_t));
  values_.resize(used);
  length_ += static_cast<int64_t>(i);
  return i;
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
