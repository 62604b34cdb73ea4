#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "sapwood/rntuple/field_tree.h"
#include "sapwood/rntuple/page_fetch.h"
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

ColumnDescription column_of(uint16_t type, uint16_t bits) { return {.type = type, .bits = bits}; }

TEST(Corruption, MembersOfAStreamerFieldOfUnknownColumnsAreRefusedAsItIs) {
  Descriptor descriptor;
  descriptor.fields.push_back(
      {.role = static_cast<uint16_t>(StructuralRole::kStreamer), .name = "object", .type_name = "TNamed"});
  constexpr uint16_t kUnknown = 0xff;
  descriptor.columns = {column_of(static_cast<uint16_t>(ColumnType::kIndex64), 64), column_of(kUnknown, 8)};
  const auto file = root::File::open(io::open_local_file(test_path("streamed_rntuple.root")));
  const std::vector<NamedNode> nodes = build_field_trees(descriptor, *root::StreamerInfos::read(*file));
  ASSERT_EQ(nodes.size(), 3u);  // with fName and fTitle
  for (const NamedNode& node : nodes) EXPECT_NE(node.node->unsupported, "") << node.name;
}

TEST(Corruption, PlacesOfVariantsAtTheLimitsAreRefused) {
  const ColumnDescription column = column_of(static_cast<uint16_t>(ColumnType::kSwitch), 96);
  const PhysicalColumn physical{.id = 0, .encoding = *encoding_of(column)};
  for (const uint64_t place : {uint64_t{1} << 62, uint64_t{INT64_MAX}, uint64_t{1} << 63, UINT64_MAX}) {
    std::vector<std::byte> element(12);
    std::memcpy(element.data(), &place, sizeof place);
    element[8] = std::byte{1};
    FetchedElements elements(column, physical, {0, 1}, 0);
    elements.pages.push_back({.elements = {0, 1}, .bytes = Bytes(element)});
    PageScratch scratch(heap_pool());
    EXPECT_THROW(elements.decode_switch({0, 1}, 1, 0, nullptr, scratch), FormatError) << place;
  }
}

}  // namespace
}  // namespace sapwood::rntuple
