#include "tests/fuzz/fixture.h"

/// Input: of `Fixture`, with the baskets of objects of all kinds.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static sapwood::fuzz::Fixture fixture(SAPWOOD_TEST_DATA "/objects.root", "basket");
  fixture.read_with(data, size);
  return 0;
}
