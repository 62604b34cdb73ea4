#include "tests/fuzz/fixture.h"

#include <algorithm>
#include <cstring>

#include "sapwood/io/random_access_file.h"

namespace sapwood::fuzz {

Fixture::Fixture(const std::string& path, const char* what)
    : twin_(uncompressed_twin(root::File::open(io::open_local_file(path)))) {
  std::erase_if(twin_.regions, [&](const Region& region) { return region.what != what; });
}

std::vector<std::byte> Fixture::with(const uint8_t* input, size_t size, uint64_t& place) const {
  if (size < 2) return {};
  const size_t number = input[0] | size_t{input[1]} << 8;
  const Region& region = twin_.regions[number % twin_.regions.size()];
  std::vector<std::byte> file = twin_.bytes;
  if (size > 2) std::memcpy(file.data() + region.offset, input + 2, std::min(size - 2, region.size));
  place = region.offset;
  return file;
}

std::vector<std::vector<std::byte>> Fixture::inputs() const {
  std::vector<std::vector<std::byte>> inputs;
  for (size_t i = 0; i < twin_.regions.size(); ++i) {
    const Region& region = twin_.regions[i];
    std::vector<std::byte>& input = inputs.emplace_back();
    input.push_back(static_cast<std::byte>(i & 0xff));
    input.push_back(static_cast<std::byte>(i >> 8));
    const auto first = twin_.bytes.begin() + static_cast<ptrdiff_t>(region.offset);
    input.insert(input.end(), first, first + static_cast<ptrdiff_t>(region.size));
  }
  return inputs;
}

}  // namespace sapwood::fuzz
