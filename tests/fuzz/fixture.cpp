#include "tests/fuzz/fixture.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "sapwood/base/hash.h"
#include "sapwood/io/random_access_file.h"
#include "tests/fuzz/put.h"
#include "tests/fuzz/read_tables.h"

namespace sapwood::fuzz {
namespace {

constexpr size_t kNumberSize = 2;
constexpr size_t kChecksum = 8;

/// Bytes that change while the file is open.
class ChangingFile final : public io::RandomAccessFile {
 public:
  explicit ChangingFile(const std::vector<std::byte>& bytes) : bytes_(bytes) {}
  const std::string& uri() const override { return uri_; }
  uint64_t size() const override { return bytes_.size(); }
  void read_at(uint64_t offset, std::span<std::byte> out, const std::stop_token&) const override {
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset)
      throw FormatError("the file ends before");
    std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(offset), out.size(), out.begin());
  }

 private:
  const std::vector<std::byte>& bytes_;
  std::string uri_ = "fixture";
};

}  // namespace

Fixture::Fixture(const std::string& path, const std::string& what)
    : twin_(uncompressed_twin(root::File::open(io::open_local_file(path)))),
      bytes_(twin_.bytes),
      has_checksums_(what == "page") {
  std::erase_if(twin_.regions, [&](const Region& region) { return region.what != what; });
  tables_ = open_tables(root::File::open(std::make_unique<ChangingFile>(bytes_)));
  columns_.resize(twin_.regions.size());
  for (const auto& table : tables_) {
    for (size_t column = 0; column < table->schema().size(); ++column) {
      if (!table->schema()[column].unsupported.empty()) continue;
      const std::vector<StorageBlock> blocks = table->blocks(column);
      for (size_t i = 0; i < columns_.size(); ++i) {
        const bool is_held = std::ranges::any_of(blocks, [&](const StorageBlock& block) {
          const uint64_t place = twin_.regions[i].offset;
          return block.offset <= place && place < block.offset + block.compressed_bytes;
        });
        if (is_held) columns_[i].push_back({table.get(), column});
      }
    }
  }
}

void Fixture::read_with(const uint8_t* input, size_t size) {
  if (size < kNumberSize) return;
  const size_t number = (input[0] | size_t{input[1]} << 8) % twin_.regions.size();
  const Region& region = twin_.regions[number];
  const size_t written = std::min(size - kNumberSize, region.size);
  if (written != 0) std::memcpy(bytes_.data() + region.offset, input + kNumberSize, written);
  if (has_checksums_) {
    const uint64_t checksum = xxh3_64(Bytes(bytes_).subspan(region.offset, region.size));
    put<std::endian::little>(bytes_, region.offset + region.size, checksum, kChecksum);
  }
  // All that are no members, and one of those.
  const std::vector<Column>& columns = columns_[number];
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto& [table, column] = columns[i];
    if (!table->schema()[column].is_member || i == written % columns.size()) read_column(*table, column);
  }
  std::copy_n(twin_.bytes.begin() + static_cast<ptrdiff_t>(region.offset), written,
              bytes_.begin() + static_cast<ptrdiff_t>(region.offset));
}

std::vector<std::vector<std::byte>> Fixture::inputs() const {
  std::vector<std::vector<std::byte>> inputs;
  for (size_t i = 0; i < twin_.regions.size(); ++i) {
    const Region& region = twin_.regions[i];
    std::vector<std::byte>& input = inputs.emplace_back(kNumberSize);
    put<std::endian::little>(input, 0, i, kNumberSize);
    const auto first = twin_.bytes.begin() + static_cast<ptrdiff_t>(region.offset);
    input.insert(input.end(), first, first + static_cast<ptrdiff_t>(region.size));
  }
  return inputs;
}

}  // namespace sapwood::fuzz
