#include <cstdint>
#include <span>

#include "sapwood/io/memory_file.h"
#include "sapwood/root/file.h"
#include "sapwood/root/streamer_info.h"

/// Input: a file. Its directories are read, or its records gone through, and every object is unpacked.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sapwood;
  const Bytes bytes = std::as_bytes(std::span(data, size));
  try {
    const auto file = root::File::open(
        std::make_unique<io::MemoryFile>(std::vector<std::byte>(bytes.begin(), bytes.end())));
    for (const root::Key& key : file->keys()) {
      file->find(key.path);
      try {
        file->read_object(key, heap_pool());
      } catch (const Error&) {
        // The next object may be whole.
      }
    }
    root::StreamerInfos::read(*file);
  } catch (const Error&) {
    // Not a file any more.
  }
  return 0;
}
