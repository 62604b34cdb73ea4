#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sapwood/base/cursor.h"

namespace sapwood::codec {

/// No codec makes more bytes of one: Zstandard's run-length blocks are the densest, 128 KiB in 4 bytes.
inline constexpr uint64_t kLargestRatio = 65536;

/// Decompresses a ROOT record: one or more blocks, each with a 9-byte header, that together fill `output`
/// exactly. When `record.size() == output.size()` the record is not compressed and is copied. Contexts of the
/// libraries are kept for each thread and used again. Throws FormatError (corrupt, wrong checksum, wrong
/// size), UnsupportedError (unknown algorithm).
void decompress(Bytes record, std::span<std::byte> output);

/// Whether memory of `size` bytes may be allocated by a header's word for what `stored` bytes hold: it is
/// little, or not many times as much. Else `require_size` is to tell.
bool is_plausible_size(uint64_t stored, uint64_t size);
/// Decompresses a record block by block, keeping none. Throws as `decompress` to `size` bytes.
void require_size(Bytes record, uint64_t size);

/// How many of `bytes` a record takes whose blocks give `uncompressed` bytes by their headers; nothing when
/// they don't add up, or begin with no block.
std::optional<uint64_t> size_of_blocks(Bytes bytes, uint64_t uncompressed);

/// The name of the algorithm of a record's first block ("zlib", "lzma", "lz4", "zstd", "old"), or "none".
std::string algorithm_name(Bytes record);

/// The codecs that are built in, by name.
std::vector<std::string> built_in();

}  // namespace sapwood::codec
