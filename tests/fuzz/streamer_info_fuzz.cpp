#include <cstdint>
#include <span>

#include "sapwood/root/streamer_info.h"

/// Input: the record of a list of streamer infos, with its key header.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sapwood;
  try {
    const auto infos = root::StreamerInfos::parse(std::as_bytes(std::span(data, size)));
    infos->derives_from("TBranchElement", "TNamed");
  } catch (const Error&) {
    // What corrupt data is meant to give.
  }
  return 0;
}
