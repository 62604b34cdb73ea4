#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "sapwood/serve/status_error.h"
#include "sapwood/serve/tfaas.h"

// Protocol Buffers' wire format: fields, each a varint `number << 3 | type` and a value. Type 0: varint, 1: 8
// bytes, 2: a varint of the length and so many bytes, 5: 4 bytes. Numbers are little-endian. Repeated floats
// come packed (type 2) or one by one (type 5).
static_assert(std::endian::native == std::endian::little);

namespace sapwood::serve {
namespace {

enum class WireType : uint8_t { kVarint = 0, kEightBytes = 1, kBytes = 2, kFourBytes = 5 };

class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : bytes_(bytes) {}

  bool done() const { return bytes_.empty(); }
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<uint8_t>(take(1).front());
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    throw damaged();
  }
  std::string_view take(uint64_t size) {
    if (size > bytes_.size()) throw damaged();
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  /// The bytes of a field's value.
  std::string_view value(WireType type) {
    switch (type) {
      case WireType::kVarint: {
        const std::string_view start = bytes_;
        varint();
        return start.substr(0, start.size() - bytes_.size());
      }
      case WireType::kEightBytes:
        return take(8);
      case WireType::kBytes:
        return take(varint());
      case WireType::kFourBytes:
        return take(4);
    }
    throw damaged();
  }
  static StatusError damaged() { return {400, "the body is not the message tfaaspb.Row"}; }

 private:
  std::string_view bytes_;
};

void append_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void append_field(std::string& out, unsigned number, std::string_view bytes) {
  append_varint(out, number << 3 | static_cast<unsigned>(WireType::kBytes));
  append_varint(out, bytes.size());
  out += bytes;
}

}  // namespace

TfaasRow parse_tfaas_proto(std::string_view message) {
  TfaasRow row;
  WireReader reader(message);
  while (!reader.done()) {
    const uint64_t tag = reader.varint();
    const auto type = static_cast<WireType>(tag & 7);
    const std::string_view value = reader.value(type);
    if (tag >> 3 == 1 && type == WireType::kBytes) {
      row.keys.push_back(value);
    } else if (tag >> 3 == 2 && (type == WireType::kBytes || type == WireType::kFourBytes)) {
      if (value.size() % sizeof(float) != 0) throw WireReader::damaged();
      for (size_t i = 0; i < value.size(); i += sizeof(float)) {
        float number = 0;
        std::memcpy(&number, value.data() + i, sizeof(float));
        row.values.push_back(number);
      }
    } else if (tag >> 3 == 3 && type == WireType::kBytes) {
      row.model = value;
    }
  }
  if (row.values.empty()) throw StatusError(400, "the row has no values");
  if (!row.keys.empty() && row.keys.size() != row.values.size()) {
    throw StatusError(400, concat(row.keys.size(), " keys, but ", row.values.size(), " values"));
  }
  return row;
}

std::string format_tfaas_proto(std::span<const float> predictions, std::span<const std::string> labels) {
  std::string out;
  // One number for two classes is the probability of the second.
  if (predictions.size() == 1 && labels.size() == 2) labels = labels.subspan(1);
  for (size_t i = 0; i < predictions.size(); ++i) {
    std::string item;
    append_field(item, 1, i < labels.size() ? labels[i] : std::to_string(i));
    std::array<char, sizeof(float)> number{};
    std::memcpy(number.data(), &predictions[i], sizeof(float));
    append_varint(item, 2 << 3 | static_cast<unsigned>(WireType::kFourBytes));
    item.append(number.data(), number.size());
    append_field(out, 1, item);
  }
  return out;
}

}  // namespace sapwood::serve
