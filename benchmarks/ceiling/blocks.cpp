#include "ceiling/blocks.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "sapwood/ttree/basket.h"

namespace sapwood::ceiling {
namespace {

constexpr uint64_t kLargestBasketHeader = 4096;

// From a basket's record to its object.
Block without_header(const io::RandomAccessFile& file, Block block) {
  std::array<std::byte, kLargestBasketHeader> bytes;
  const auto start = std::span(bytes).first(std::min(block.stored_bytes, kLargestBasketHeader));
  file.read_at(block.offset, start);
  const ttree::BasketHeader header = ttree::read_basket_header(start);
  block.offset += header.key_size;
  block.stored_bytes = header.record_size - header.key_size;
  block.bytes = header.object_size;
  return block;
}

}  // namespace

std::vector<FileBlocks> list_blocks(const Dataset& dataset, const std::vector<std::string>& columns) {
  const Source& source = dataset.source();
  std::vector<FileBlocks> files;
  for (size_t i = 0; i < source.files().size(); ++i) {
    const auto reader = source.reader(i);
    const bool has_headers = reader->format() == std::string_view("TTree");
    FileBlocks file{
        .file = io::open_file(source.files()[i].path), .clusters = source.files()[i].clusters, .blocks = {}};
    const std::vector<size_t> indices = source.column_indices(*reader, columns);
    for (size_t column = 0; column < indices.size(); ++column) {
      for (const StorageBlock& stored : reader->blocks(indices[column])) {
        if (stored.offset == 0 || stored.compressed_bytes == 0) continue;
        const Block block{.column = column,
                          .first_entry = stored.first_entry,
                          .offset = stored.offset,
                          .stored_bytes = stored.compressed_bytes,
                          .bytes = stored.uncompressed_bytes};
        file.blocks.push_back(has_headers ? without_header(*file.file, block) : block);
      }
    }
    std::ranges::sort(file.blocks, {}, &Block::offset);
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace sapwood::ceiling
