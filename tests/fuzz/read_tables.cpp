#include "tests/fuzz/read_tables.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string>

#include "sapwood/io/memory_file.h"
#include "sapwood/rntuple/ntuple.h"
#include "sapwood/ttree/tree.h"

namespace sapwood::fuzz {
namespace {

constexpr uint64_t kMostColumnBytes = 64 << 20;

class TableReader {
 public:
  explicit TableReader(const ReadOptions& options) : options_(options) {}

  std::optional<std::string> read(std::vector<std::byte> bytes) {
    attempt([&] {
      const auto file = root::File::open(std::make_unique<io::MemoryFile>(std::move(bytes)));
      if (!file->warning().empty()) note(file->warning());
      for (const root::Key& key : file->keys()) {
        attempt([&] {
          if (ttree::is_tree_class(key.class_name)) read_table(*ttree::Tree::open(file, key));
          if (key.class_name == "ROOT::RNTuple") read_table(*rntuple::Ntuple::open(file, key));
        });
      }
    });
    return error_;
  }

 private:
  template <class Action>
  void attempt(Action&& action) {
    try {
      action();
    } catch (const Error& error) {
      note(error.what());
    }
  }
  void note(const std::string& text) {
    if (!error_) error_ = text;
  }

  void read_table(const Reader& table) {
    const int64_t entries = std::min(table.num_entries(), options_.most_entries);
    for (size_t column = 0; column < table.schema().size(); ++column) {
      const ColumnInfo& info = table.schema()[column];
      if (!info.unsupported.empty() || info.uncompressed_bytes > kMostColumnBytes) continue;
      const auto most = static_cast<uint64_t>(std::max<int64_t>(options_.most_entries, 1));
      if (fixed_entry_size(info.type) > kMostColumnBytes / most) continue;
      attempt([&] {
        const std::vector<StorageBlock> blocks = table.blocks(column);
        if (options_.place && std::ranges::none_of(blocks, [&](const StorageBlock& block) {
              return block.offset <= *options_.place &&
                     *options_.place < block.offset + block.compressed_bytes;
            })) {
          return;
        }
        for (const EntryRange range : {EntryRange{0, entries}, EntryRange{entries / 3, entries * 2 / 3}}) {
          const auto fetched = table.fetch(std::span(&column, 1), range, heap_pool());
          table.decode(*fetched, 0, heap_pool());
        }
      });
    }
  }

  const ReadOptions& options_;
  std::optional<std::string> error_;
};

}  // namespace

std::optional<std::string> read_tables(std::vector<std::byte> file, const ReadOptions& options) {
  return TableReader(options).read(std::move(file));
}

}  // namespace sapwood::fuzz
