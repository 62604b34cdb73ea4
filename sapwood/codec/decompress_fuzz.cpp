#include <cstddef>
#include <cstdint>
#include <vector>

#include "sapwood/base/error.h"
#include "sapwood/codec/decompress.h"

/// Input: uint24 size of the output, little-endian, then the record.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const size_t output_size = data[0] | size_t{data[1]} << 8 | size_t{data[2]} << 16;
  const sapwood::Bytes record = std::as_bytes(std::span(data, size)).subspan(3);
  std::vector<std::byte> output(output_size);
  try {
    sapwood::codec::algorithm_name(record);
    sapwood::codec::decompress(record, output);
  } catch (const sapwood::Error&) {
    // What corrupt data is meant to give.
  }
  return 0;
}
