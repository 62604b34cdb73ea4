#include "tests/fuzz/fixture.h"

/// Input: of `Fixture`, with the pages of an n-tuple of many types.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static sapwood::fuzz::Fixture fixture(SAPWOOD_TEST_DATA "/test_stl_containers_rntuple_v1-0-0-0.root",
                                        "page");
  fixture.read_with(data, size);
  return 0;
}
