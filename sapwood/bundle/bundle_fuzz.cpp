#include "sapwood/base/error.h"
#include "sapwood/bundle/archive.h"
#include "sapwood/bundle/bundle.h"
#include "sapwood/bundle/golden.h"
#include "sapwood/bundle/manifest.h"

namespace {

using namespace sapwood;

void attempt(auto&& action) {
  try {
    action();
  } catch (const Error&) {
    // What corrupt data is meant to give.
  }
}

}  // namespace

/// Input: a bundle. It is read as it is; and since hashes keep corruption out of the parsers, each member of
/// it by each of them.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes input = std::as_bytes(std::span(data, size));
  attempt([&] { Bundle::from_bytes(input); });
  attempt([&] {
    const uint64_t most = 16 << 20;
    Schema columns;
    for (const auto& [name, bytes] : read_archive(input, {.total_bytes = most})) {
      attempt([&] { columns = parse_manifest(bytes).columns; });
      attempt([&] { parse_golden(bytes, columns, true); });
      attempt([&] { parse_golden(bytes, columns, false); });
    }
  });
  return 0;
}
