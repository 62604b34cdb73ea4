#include "tests/fuzz/read_tables.h"

#include <algorithm>
#include <span>

#include "sapwood/io/memory_file.h"
#include "sapwood/rntuple/ntuple.h"
#include "sapwood/ttree/tree.h"

namespace sapwood::fuzz {
namespace {

constexpr uint64_t kMostColumnBytes = 64 << 20;

bool has_block_at(const Reader& table, size_t column, uint64_t place) {
  return std::ranges::any_of(table.blocks(column), [&](const StorageBlock& block) {
    return block.offset <= place && place < block.offset + block.compressed_bytes;
  });
}

template <class Action>
std::optional<std::string> error_of(Action&& action) {
  try {
    action();
    return std::nullopt;
  } catch (const Error& error) {
    return error.what();
  }
}

std::shared_ptr<const Reader> open_table(const std::shared_ptr<const root::File>& file,
                                         const root::Key& key) {
  if (ttree::is_tree_class(key.class_name)) return ttree::Tree::open(file, key);
  if (key.class_name == "ROOT::RNTuple") return rntuple::Ntuple::open(file, key);
  return nullptr;
}

}  // namespace

std::vector<std::shared_ptr<const Reader>> open_tables(const std::shared_ptr<const root::File>& file) {
  std::vector<std::shared_ptr<const Reader>> tables;
  for (const root::Key& key : file->keys()) {
    error_of([&] {
      if (auto table = open_table(file, key)) tables.push_back(std::move(table));
    });
  }
  return tables;
}

std::optional<std::string> read_column(const Reader& table, size_t column, const ReadOptions& options) {
  const ColumnInfo& info = table.schema()[column];
  const int64_t entries = std::min(table.num_entries(), options.most_entries);
  const auto most = static_cast<uint64_t>(std::max<int64_t>(options.most_entries, 1));
  if (!info.unsupported.empty() || info.uncompressed_bytes > kMostColumnBytes) return std::nullopt;
  if (fixed_entry_size(info.type) > kMostColumnBytes / most) return std::nullopt;
  return error_of([&] {
    if (options.place && !has_block_at(table, column, *options.place)) return;
    for (const EntryRange range : {EntryRange{0, entries}, EntryRange{entries / 3, entries * 2 / 3}}) {
      const auto fetched = table.fetch(std::span(&column, 1), range, heap_pool());
      table.decode(*fetched, 0, heap_pool());
    }
  });
}

std::optional<std::string> read_tables(std::vector<std::byte> bytes, const ReadOptions& options) {
  std::optional<std::string> first;
  const auto note = [&](std::optional<std::string> error) {
    if (!first) first = std::move(error);
  };
  note(error_of([&] {
    const auto file = root::File::open(std::make_unique<io::MemoryFile>(std::move(bytes)));
    if (!file->warning().empty()) note(file->warning());
    for (const root::Key& key : file->keys()) {
      note(error_of([&] {
        const auto table = open_table(file, key);
        for (size_t column = 0; table != nullptr && column < table->schema().size(); ++column)
          note(read_column(*table, column, options));
      }));
    }
  }));
  return first;
}

}  // namespace sapwood::fuzz
