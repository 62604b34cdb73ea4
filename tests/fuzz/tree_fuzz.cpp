#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sapwood/base/error.h"
#include "sapwood/io/memory_file.h"
#include "sapwood/ttree/tree.h"

namespace {

constexpr int64_t kMostEntries = 1000;

void read_columns(const sapwood::ttree::Tree& tree) {
  const sapwood::EntryRange entries{0, std::min(tree.num_entries(), kMostEntries)};
  for (size_t column = 0; column < tree.schema().size(); ++column) {
    try {
      tree.blocks(column);
      const auto fetched = tree.fetch(std::span(&column, 1), entries, sapwood::heap_pool());
      tree.decode(*fetched, 0, sapwood::heap_pool());
    } catch (const sapwood::Error&) {
      // What corrupt data is meant to give; the next column may be whole.
    }
  }
}

}  // namespace

/// Input: a file. Every tree in it is opened and every column read.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const sapwood::Bytes bytes = std::as_bytes(std::span(data, size));
  try {
    const auto file = sapwood::root::File::open(
        std::make_unique<sapwood::io::MemoryFile>(std::vector<std::byte>(bytes.begin(), bytes.end())));
    for (const sapwood::root::Key& key : file->keys()) {
      if (!sapwood::ttree::is_tree_class(key.class_name)) continue;
      try {
        read_columns(*sapwood::ttree::Tree::open(file, key));
      } catch (const sapwood::Error&) {
        // The next tree may be whole.
      }
    }
  } catch (const sapwood::Error&) {
    // Not a file any more.
  }
  return 0;
}
