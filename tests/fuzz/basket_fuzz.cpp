#include "tests/fuzz/fixture.h"
#include "tests/fuzz/read_tables.h"

/// Input: of `Fixture`, with the baskets of objects of all kinds. The columns of the basket are read.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sapwood::fuzz;
  static const Fixture fixture(SAPWOOD_TEST_DATA "/objects.root", "basket");
  ReadOptions options;
  std::vector<std::byte> file = fixture.with(data, size, options.place.emplace());
  if (!file.empty()) read_tables(std::move(file), options);
  return 0;
}
