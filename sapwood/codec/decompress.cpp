#include "sapwood/codec/decompress.h"

#include <libdeflate.h>
#include <lz4.h>
#include <lzma.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <new>
#include <optional>
#include <string_view>

#include "sapwood/base/error.h"
#include "sapwood/base/hash.h"

namespace sapwood::codec {
namespace {

// A record is a sequence of blocks, each of:
//
//   byte 0  char[2]  algorithm: "ZL" zlib, "CS" old ROOT, "XZ" LZMA, "L4" LZ4, "ZS" Zstandard
//        2  uint8    method: 8 (deflate) for ZL and CS, a version that does not matter for the others
//        3  uint24   size of the payload that follows, little-endian
//        6  uint24   size of the payload decompressed, little-endian
//        9  payload
constexpr size_t kHeaderSize = 9;
constexpr uint8_t kDeflateMethod = 8;
// A block holds less than 16 MiB, so a dictionary of 64 MiB (the level-9 preset) is the most that can be
// meant.
constexpr uint64_t kLzmaMemoryLimit = uint64_t{80} << 20;

enum class Algorithm { kZlib, kOld, kLzma, kLz4, kZstd };

struct BlockHeader {
  Algorithm algorithm;
  size_t compressed_size;
  size_t uncompressed_size;
};

std::optional<Algorithm> algorithm_of(std::string_view tag) {
  if (tag == "ZL") return Algorithm::kZlib;
  if (tag == "CS") return Algorithm::kOld;
  if (tag == "XZ") return Algorithm::kLzma;
  if (tag == "L4") return Algorithm::kLz4;
  if (tag == "ZS") return Algorithm::kZstd;
  return std::nullopt;
}

const char* name_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kZlib:
      return "zlib";
    case Algorithm::kOld:
      return "old";
    case Algorithm::kLzma:
      return "lzma";
    case Algorithm::kLz4:
      return "lz4";
    case Algorithm::kZstd:
      return "zstd";
  }
  return "none";
}

size_t read_size(LittleEndianCursor& cursor) {
  const size_t low = cursor.read<uint16_t>();
  return low | static_cast<size_t>(cursor.read<uint8_t>()) << 16;
}

std::string printable(std::string_view tag) {
  std::string text;
  for (const char c : tag) text += c >= ' ' && c <= '~' ? c : '?';
  return text;
}

BlockHeader read_header(LittleEndianCursor& cursor) {
  const std::string tag = cursor.read_text(2);
  const uint8_t method = cursor.read<uint8_t>();
  const std::optional<Algorithm> algorithm = algorithm_of(tag);
  if (!algorithm) throw UnsupportedError("unknown compression algorithm \"" + printable(tag) + "\"");
  const bool deflate = *algorithm == Algorithm::kZlib || *algorithm == Algorithm::kOld;
  if (deflate && method != kDeflateMethod) {
    throw UnsupportedError(
        concat("unknown method ", int{method}, " of the ", name_of(*algorithm), " compression"));
  }
  const size_t compressed_size = read_size(cursor);
  const size_t uncompressed_size = read_size(cursor);
  return {*algorithm, compressed_size, uncompressed_size};
}

// What the libraries want kept between calls; one set for each thread.
class Contexts {
 public:
  libdeflate_decompressor* deflate() {
    if (!deflate_) deflate_.reset(libdeflate_alloc_decompressor());
    if (!deflate_) throw std::bad_alloc();
    return deflate_.get();
  }
  ZSTD_DCtx* zstd() {
    if (!zstd_) zstd_.reset(ZSTD_createDCtx());
    if (!zstd_) throw std::bad_alloc();
    return zstd_.get();
  }
  // liblzma keeps the memory of a stream that is initialised again.
  lzma_stream& lzma() { return lzma_.stream; }

 private:
  struct Release {
    void operator()(libdeflate_decompressor* context) const { libdeflate_free_decompressor(context); }
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  struct LzmaStream {
    LzmaStream() = default;
    LzmaStream(const LzmaStream&) = delete;
    LzmaStream& operator=(const LzmaStream&) = delete;
    ~LzmaStream() { lzma_end(&stream); }
    lzma_stream stream = LZMA_STREAM_INIT;
  };

  std::unique_ptr<libdeflate_decompressor, Release> deflate_;
  std::unique_ptr<ZSTD_DCtx, Release> zstd_;
  LzmaStream lzma_;
};

Contexts& contexts() {
  thread_local Contexts instance;
  return instance;
}

[[noreturn]] void fail(Algorithm algorithm, const std::string& why) {
  throw FormatError(concat("corrupt ", name_of(algorithm), " block: ", why));
}

// Bytes as the kind of character that a C library asks for.
template <class T>
T* address(const std::byte* bytes) {
  return static_cast<T*>(static_cast<const void*>(bytes));
}
template <class T>
T* address(std::byte* bytes) {
  return static_cast<T*>(static_cast<void*>(bytes));
}

// ZL: a zlib stream (2 bytes header, deflate, big-endian Adler-32). CS: the deflate alone, as PKZIP's
// method 8.
void decompress_deflate(Algorithm algorithm, Bytes in, std::span<std::byte> out) {
  size_t used = 0;
  size_t filled = 0;
  const auto decode =
      algorithm == Algorithm::kZlib ? libdeflate_zlib_decompress_ex : libdeflate_deflate_decompress_ex;
  const libdeflate_result result =
      decode(contexts().deflate(), in.data(), in.size(), out.data(), out.size(), &used, &filled);
  if (result == LIBDEFLATE_INSUFFICIENT_SPACE) fail(algorithm, "holds more than its header says");
  if (result != LIBDEFLATE_SUCCESS) fail(algorithm, "bad data or checksum");
  if (filled != out.size()) fail(algorithm, concat("gave ", filled, " bytes of ", out.size()));
  if (used != in.size()) fail(algorithm, concat("ends after ", used, " bytes of ", in.size()));
}

// XZ: one .xz stream.
void decompress_lzma(Bytes in, std::span<std::byte> out) {
  lzma_stream& stream = contexts().lzma();
  switch (lzma_stream_decoder(&stream, kLzmaMemoryLimit, 0)) {
    case LZMA_OK:
      break;
    case LZMA_MEM_ERROR:
      throw std::bad_alloc();
    default:
      fail(Algorithm::kLzma, "the decoder can't be set up");
  }
  stream.next_in = address<const uint8_t>(in.data());
  stream.avail_in = in.size();
  stream.next_out = address<uint8_t>(out.data());
  stream.avail_out = out.size();
  switch (lzma_code(&stream, LZMA_FINISH)) {
    case LZMA_STREAM_END:
      break;
    case LZMA_MEM_ERROR:
      throw std::bad_alloc();
    case LZMA_MEMLIMIT_ERROR:
      fail(Algorithm::kLzma, concat("wants more than ", kLzmaMemoryLimit >> 20, " MiB to decompress"));
    case LZMA_OK:
    case LZMA_BUF_ERROR:
      fail(Algorithm::kLzma, stream.avail_out == 0 ? "holds more than its header says" : "is cut short");
    default:
      fail(Algorithm::kLzma, "bad data or checksum");
  }
  if (stream.avail_out != 0)
    fail(Algorithm::kLzma, concat(stream.avail_out, " bytes fewer than its header says"));
  if (stream.avail_in != 0) fail(Algorithm::kLzma, concat(stream.avail_in, " bytes too many"));
}

// L4: big-endian xxHash64 of what follows, then one LZ4 block.
void decompress_lz4(Bytes in, std::span<std::byte> out) {
  BigEndianCursor cursor(in, "lz4 block");
  const uint64_t stored = cursor.read<uint64_t>();
  const Bytes data = cursor.take(cursor.remaining());
  if (xxh64(data) != stored) fail(Algorithm::kLz4, "wrong checksum");
  // Both sizes fit in 24 bits.
  const int filled = LZ4_decompress_safe(address<const char>(data.data()), address<char>(out.data()),
                                         static_cast<int>(data.size()), static_cast<int>(out.size()));
  if (filled < 0) fail(Algorithm::kLz4, "bad data");
  if (static_cast<size_t>(filled) != out.size())
    fail(Algorithm::kLz4, concat("gave ", filled, " bytes of ", out.size()));
}

// ZS: one Zstandard frame.
void decompress_zstd(Bytes in, std::span<std::byte> out) {
  const size_t filled = ZSTD_decompressDCtx(contexts().zstd(), out.data(), out.size(), in.data(), in.size());
  if (ZSTD_isError(filled)) fail(Algorithm::kZstd, ZSTD_getErrorName(filled));
  if (filled != out.size()) fail(Algorithm::kZstd, concat("gave ", filled, " bytes of ", out.size()));
}

void decompress_block(Algorithm algorithm, Bytes in, std::span<std::byte> out) {
  switch (algorithm) {
    case Algorithm::kZlib:
    case Algorithm::kOld:
      return decompress_deflate(algorithm, in, out);
    case Algorithm::kLzma:
      return decompress_lzma(in, out);
    case Algorithm::kLz4:
      return decompress_lz4(in, out);
    case Algorithm::kZstd:
      return decompress_zstd(in, out);
  }
}

}  // namespace

namespace {

// Calls `use(header, payload, filled)` with each block, and the bytes that those before it give.
template <class Use>
void for_each_block(Bytes record, uint64_t size, const Use& use) {
  LittleEndianCursor cursor(record, "compressed record");
  for (uint64_t filled = 0; filled < size;) {
    const BlockHeader header = read_header(cursor);
    const Bytes payload = cursor.take(header.compressed_size);
    if (header.compressed_size == 0 || header.uncompressed_size == 0) {
      fail(header.algorithm, "of no size");  // and without this a file could make us spin
    }
    if (header.uncompressed_size > size - filled) {
      fail(header.algorithm,
           concat("of ", header.uncompressed_size, " bytes where ", size - filled, " are left to fill"));
    }
    use(header, payload, filled);
    filled += header.uncompressed_size;
  }
  if (!cursor.at_end()) {
    throw FormatError(
        concat("corrupt compressed record: ", cursor.remaining(), " bytes after its last block"));
  }
}

}  // namespace

void decompress(Bytes record, std::span<std::byte> output) {
  if (record.size() == output.size()) {
    std::copy(record.begin(), record.end(), output.begin());
    return;
  }
  for_each_block(record, output.size(), [&](const BlockHeader& header, Bytes payload, uint64_t filled) {
    decompress_block(header.algorithm, payload, output.subspan(filled, header.uncompressed_size));
  });
}

bool is_plausible_size(uint64_t stored, uint64_t size) {
  constexpr uint64_t kLittle = uint64_t{1} << 24;
  constexpr uint64_t kUsualRatio = 64;
  return size <= kLittle || size / kUsualRatio <= stored;
}

void require_size(Bytes record, uint64_t size) {
  if (record.size() == size) return;
  std::vector<std::byte> scratch;
  for_each_block(record, size, [&](const BlockHeader& header, Bytes payload, uint64_t) {
    scratch.resize(header.uncompressed_size);
    decompress_block(header.algorithm, payload, scratch);
  });
}

std::optional<uint64_t> size_of_blocks(Bytes bytes, uint64_t uncompressed) {
  LittleEndianCursor cursor(bytes, "compressed record");
  try {
    while (uncompressed > 0) {
      const BlockHeader header = read_header(cursor);
      cursor.skip(header.compressed_size);
      if (header.uncompressed_size == 0 || header.uncompressed_size > uncompressed) return std::nullopt;
      uncompressed -= header.uncompressed_size;
    }
  } catch (const Error&) {
    return std::nullopt;
  }
  return cursor.position();
}

std::string algorithm_name(Bytes record) {
  if (record.size() < kHeaderSize) return "none";
  LittleEndianCursor cursor(record, "compressed record");
  const std::optional<Algorithm> algorithm = algorithm_of(cursor.read_text(2));
  return algorithm ? name_of(*algorithm) : "none";
}

std::vector<std::string> built_in() { return {"zlib", "lzma", "lz4", "zstd", "old"}; }

}  // namespace sapwood::codec
