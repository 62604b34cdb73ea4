#include <gtest/gtest.h>

#include <algorithm>

#include "sapwood/rntuple/test_support.h"

namespace sapwood::rntuple {
namespace {

enum class Outcome { kRead, kRefused };

// Reads all there is; anything but a sapwood error escapes.
Outcome read_all(std::vector<std::byte> bytes) {
  try {
    const auto ntuple = open_first(std::make_unique<io::MemoryFile>(std::move(bytes)));
    std::vector<size_t> columns;
    for (size_t i = 0; i < ntuple->schema().size(); ++i) {
      if (ntuple->schema()[i].unsupported.empty()) columns.push_back(i);
    }
    const auto fetched = ntuple->fetch(columns, {0, ntuple->num_entries()}, heap_pool());
    for (size_t i = 0; i < columns.size(); ++i) ntuple->decode(*fetched, i, heap_pool());
    return Outcome::kRead;
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()), "");
    return Outcome::kRefused;
  }
}

class Corruption : public testing::TestWithParam<const char*> {};

TEST_P(Corruption, FlippedBitsAreRefusedOrHarmless) {
  const std::vector<std::byte> good = test_bytes(GetParam());
  ASSERT_EQ(read_all(good), Outcome::kRead);
  size_t refused = 0;
  for (size_t at = 0; at < good.size(); ++at) {
    std::vector<std::byte> bytes = good;
    bytes[at] ^= static_cast<std::byte>(1u << (at % 8));
    refused += read_all(std::move(bytes)) == Outcome::kRefused;
  }
  EXPECT_GT(refused, good.size() / 8);
}

TEST_P(Corruption, TruncatedFilesAreRefused) {
  const std::vector<std::byte> good = test_bytes(GetParam());
  for (size_t size = 0; size < good.size(); size += 7) {
    read_all({good.begin(), good.begin() + static_cast<ptrdiff_t>(size)});
  }
}

INSTANTIATE_TEST_SUITE_P(Ntuple, Corruption,
                         testing::Values("test_stl_containers_rntuple_v1-0-0-0.root",
                                         "rntviewer-testfile-uncomp-single-rntuple-v1-0-0-0.root",
                                         "untyped_rntuple.root", "representations_rntuple.root",
                                         "variants_rntuple.root", "reals_rntuple.root",
                                         "test_float_types_rntuple_v1-0-0-0.root", "types_rntuple.root"));

TEST(Corruption, OfAPageIsAFormatErrorThatNamesTheColumn) {
  std::vector<std::byte> bytes = test_bytes("rntviewer-testfile-uncomp-single-rntuple-v1-0-0-0.root");
  const std::string name = "Blomer";  // the file is not compressed
  const auto found = std::search(bytes.begin(), bytes.end(), name.begin(), name.end(),
                                 [](std::byte a, char b) { return a == static_cast<std::byte>(b); });
  ASSERT_NE(found, bytes.end());
  *found = std::byte{'b'};
  const auto ntuple = open_first(std::make_unique<io::MemoryFile>(bytes));
  EXPECT_EQ(text(read_column(*ntuple, "firstName", {0, 1})), "\"Jakob\"");
  try {
    read_column(*ntuple, "lastName");
    FAIL() << "no error";
  } catch (const FormatError& error) {
    EXPECT_EQ(error.context().column, "lastName");
    EXPECT_EQ(error.context().object, "Contributors");
    EXPECT_NE(error.message().find("checksum"), std::string::npos);
  }
}

}  // namespace
}  // namespace sapwood::rntuple
