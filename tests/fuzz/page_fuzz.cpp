#include "tests/fuzz/fixture.h"
#include "tests/fuzz/read_tables.h"
#include "tests/fuzz/seal.h"

/// Input: of `Fixture`, with the pages of an n-tuple of many types. Its checksum is made to fit, the columns
/// of the page are read.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sapwood::fuzz;
  static const Fixture fixture(SAPWOOD_TEST_DATA "/test_stl_containers_rntuple_v1-0-0-0.root", "page");
  ReadOptions options;
  std::vector<std::byte> file = fixture.with(data, size, options.place.emplace());
  if (file.empty()) return 0;
  seal_checksums(file);
  read_tables(std::move(file), options);
  return 0;
}
