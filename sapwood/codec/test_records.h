#pragma once

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "sapwood/base/hash.h"

// Compressed records for tests, made with the libraries themselves.
namespace sapwood::codec {

using Memory = std::vector<std::byte>;

template <class To, class From>
To* bytes_as(From* bytes) {
  return static_cast<To*>(static_cast<std::conditional_t<std::is_const_v<To>, const void*, void*>>(bytes));
}

/// Data that compresses, though not to nothing.
inline Memory sample_data(size_t size, uint32_t seed = 1) {
  std::mt19937 random(seed);
  Memory data(size);
  for (size_t i = 0; i < size; ++i) data[i] = static_cast<std::byte>(i % 7 == 0 ? random() % 256 : i / 64);
  return data;
}

inline Memory deflate_payload(const Memory& data, int window_bits) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  Memory out(deflateBound(&stream, data.size()));
  stream.next_in = const_cast<Bytef*>(bytes_as<const Bytef>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = bytes_as<Bytef>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline Memory lzma_payload(const Memory& data) {
  Memory out(lzma_stream_buffer_bound(data.size()));
  size_t used = 0;
  lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, nullptr, bytes_as<const uint8_t>(data.data()), data.size(),
                          bytes_as<uint8_t>(out.data()), &used, out.size());
  out.resize(used);
  return out;
}

inline Memory lz4_payload(const Memory& data) {
  Memory out(8 + static_cast<size_t>(LZ4_compressBound(static_cast<int>(data.size()))));
  const int used = LZ4_compress_default(bytes_as<const char>(data.data()), bytes_as<char>(out.data() + 8),
                                        static_cast<int>(data.size()), static_cast<int>(out.size() - 8));
  out.resize(8 + static_cast<size_t>(used));
  const uint64_t checksum = xxh64(Bytes(out).subspan(8));
  for (size_t i = 0; i < 8; ++i) out[i] = static_cast<std::byte>(checksum >> (56 - 8 * i));
  return out;
}

inline Memory zstd_payload(const Memory& data) {
  Memory out(ZSTD_compressBound(data.size()));
  out.resize(ZSTD_compress(out.data(), out.size(), data.data(), data.size(), 3));
  return out;
}

/// One block, its header before it.
inline Memory make_block(const std::string& algorithm, const Memory& data) {
  Memory payload;
  std::string tag;
  char method = 8;
  if (algorithm == "zlib") {
    tag = "ZL", payload = deflate_payload(data, 15);
  } else if (algorithm == "old") {
    tag = "CS", payload = deflate_payload(data, -15);
  } else if (algorithm == "lzma") {
    tag = "XZ", method = 0, payload = lzma_payload(data);
  } else if (algorithm == "lz4") {
    tag = "L4", method = 1, payload = lz4_payload(data);
  } else if (algorithm == "zstd") {
    tag = "ZS", method = 1, payload = zstd_payload(data);
  } else {
    throw std::invalid_argument(algorithm);
  }
  Memory block{std::byte(tag[0]), std::byte(tag[1]), std::byte(method)};
  for (const size_t size : {payload.size(), data.size()}) {
    for (int shift = 0; shift < 24; shift += 8) block.push_back(static_cast<std::byte>(size >> shift));
  }
  block.insert(block.end(), payload.begin(), payload.end());
  return block;
}

}  // namespace sapwood::codec
