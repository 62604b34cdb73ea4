#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "sapwood/base/error.h"
#include "sapwood/features/feature_spec.h"

/// Input: a specification as JSON. What is read is written and read again, with the same result.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const std::string text(data, data + size);
    const std::string written = sapwood::to_json(sapwood::feature_spec_from_json(text));
    if (sapwood::to_json(sapwood::feature_spec_from_json(written)) != written) std::abort();
  } catch (const sapwood::ConfigError&) {
    // What a wrong specification is meant to give.
  }
  return 0;
}
