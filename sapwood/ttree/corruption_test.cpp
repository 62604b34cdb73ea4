#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>

#include "sapwood/io/memory_file.h"
#include "sapwood/ttree/tree.h"

namespace sapwood::ttree {
namespace {

std::vector<std::byte> load(const std::string& name) {
  std::ifstream in(std::string(SAPWOOD_TEST_DATA "/") + name, std::ios::binary);
  const std::vector<char> chars{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const Bytes bytes = std::as_bytes(std::span(chars));
  return {bytes.begin(), bytes.end()};
}

/// Reads everything; true when all of it could be read, and the file is whole. Anything but a sapwood error
/// fails the test.
bool read_all(std::vector<std::byte> bytes) {
  bool whole = true;
  const auto attempt = [&](auto&& action) {
    try {
      action();
    } catch (const Error&) {
      whole = false;
    }
  };
  attempt([&] {
    const auto file = root::File::open(std::make_unique<io::MemoryFile>(std::move(bytes)));
    whole = file->warning().empty();
    for (const root::Key& key : file->keys()) {
      if (!is_tree_class(key.class_name)) continue;
      attempt([&] {
        const auto tree = Tree::open(file, key);
        for (size_t column = 0; column < tree->schema().size(); ++column) {
          attempt([&] {
            if (!tree->schema()[column].unsupported.empty()) return;
            const EntryRange entries{0, std::min<int64_t>(tree->num_entries(), 1000)};
            const auto fetched = tree->fetch(std::span(&column, 1), entries, heap_pool());
            EXPECT_EQ(tree->decode(*fetched, 0, heap_pool()).length, entries.size());
          });
        }
      });
    }
  });
  return whole;
}

class Corruption : public testing::TestWithParam<const char*> {};

TEST_P(Corruption, FlippedBytesGiveTypedErrorsOrAReading) {
  const auto bytes = load(GetParam());
  ASSERT_TRUE(read_all(bytes));
  std::mt19937 random(42);
  for (int run = 0; run < 150; ++run) {
    auto flipped = bytes;
    for (int i = 0; i <= run % 4; ++i)
      flipped[random() % flipped.size()] ^= std::byte{uint8_t(1 + random() % 255)};
    read_all(std::move(flipped));
  }
}

TEST_P(Corruption, TruncationsAreTold) {
  const auto bytes = load(GetParam());
  for (size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 60) {
    EXPECT_FALSE(read_all({bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size)})) << size;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, Corruption,
                         testing::Values("uproot-leaflist.root", "uproot-stl_containers.root",
                                         "uproot-small-dy-nooffsets.root",
                                         "uproot-small-evnt-tree-fullsplit.root", "uproot-issue38a.root",
                                         "objects.root", "versions.root", "uproot-issue-400.root",
                                         "types_whole.root", "types_split.root", "matrices.root"));

}  // namespace
}  // namespace sapwood::ttree
