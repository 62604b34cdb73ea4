#include "ceiling/passes.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <mutex>
#include <numeric>

#include "sapwood/base/parallel.h"
#include "sapwood/base/random.h"
#include "sapwood/codec/decompress.h"
#include "sapwood/features/convert.h"

namespace sapwood::ceiling {
namespace {

constexpr uint64_t kLargestGap = 4096;  // between blocks that are read together
constexpr uint64_t kReadBytes = uint64_t{1}
                                << 18;  // of blocks that are read together, about: stay in the cache
constexpr uint64_t kPieceBytes = uint64_t{1} << 19;  // decompressed, of columns that are fetched together
constexpr size_t kWord = 4;

// Memory that is used again and only grows.
struct Scratch {
  Pool pool;
  Buffer buffer{};
  std::byte* get(size_t size) {
    if (buffer.size() < size) {
      buffer = {};
      buffer = Buffer(size, pool);
    }
    return buffer.data();
  }
};

// Some blocks of one file, by offset.
struct Piece {
  const FileBlocks* file = nullptr;
  std::vector<Block> blocks;
};

// Reads blocks, neighbours at once, and hands each with its stored bytes to `use`.
template <class Use>
void read_blocks(const Piece& piece, Scratch& scratch, const Use& use) {
  const std::vector<Block>& blocks = piece.blocks;
  for (size_t first = 0; first < blocks.size();) {
    const uint64_t start = blocks[first].offset;
    uint64_t end = start + blocks[first].stored_bytes;
    size_t stop = first + 1;
    while (stop < blocks.size() && blocks[stop].offset >= end && blocks[stop].offset - end <= kLargestGap &&
           blocks[stop].offset + blocks[stop].stored_bytes - start <= kReadBytes) {
      end = blocks[stop].offset + blocks[stop].stored_bytes;
      ++stop;
    }
    const std::span bytes(scratch.get(end - start), end - start);
    piece.file->file->read_at(start, bytes);
    for (; first < stop; ++first) {
      use(blocks[first], bytes.subspan(blocks[first].offset - start, blocks[first].stored_bytes));
    }
  }
}

Passed total(const std::vector<FileBlocks>& files) {
  Passed passed;
  for (const FileBlocks& file : files) {
    for (const Block& block : file.blocks) {
      passed.stored_bytes += block.stored_bytes;
      passed.bytes += block.bytes;
    }
  }
  return passed;
}

// Whole clusters of at least `window` rows together, with their blocks.
struct Rows {
  EntryRange entries{};
  Piece piece;
};

std::vector<Rows> runs_of_clusters(const std::vector<FileBlocks>& files, int64_t window) {
  std::vector<Rows> runs;
  for (const FileBlocks& file : files) {
    const size_t first_run = runs.size();
    for (const EntryRange& cluster : file.clusters) {
      if (runs.size() == first_run || runs.back().entries.size() >= window) {
        runs.push_back({.entries = {cluster.start, cluster.start}, .piece = {.file = &file, .blocks = {}}});
      }
      runs.back().entries.stop = cluster.stop;
    }
    for (const Block& block : file.blocks) {
      const auto run =
          std::upper_bound(runs.begin() + static_cast<std::ptrdiff_t>(first_run), runs.end(),
                           block.first_entry, [](int64_t e, const Rows& r) { return e < r.entries.stop; });
      if (run == runs.end() || block.bytes % kWord != 0 ||
          block.first_entry + static_cast<int64_t>(block.bytes / kWord) > run->entries.stop) {
        throw ConfigError("gathering wants columns of four bytes that start anew in each cluster");
      }
      run->piece.blocks.push_back(block);
    }
  }
  return runs;
}

std::vector<uint32_t> permutation(int64_t size) {
  std::vector<uint32_t> rows(static_cast<size_t>(size));
  std::iota(rows.begin(), rows.end(), 0u);
  for (size_t i = rows.size(); i > 1; --i) {
    const auto bits = philox4x32({static_cast<uint32_t>(i), 0, 0, 0}, {1, 2});
    std::swap(rows[i - 1],
              rows[static_cast<size_t>(uniform_from_bits(bits[0], bits[1]) * static_cast<double>(i))]);
  }
  return rows;
}

// The columns in runs of which a unit holds about `kPieceBytes` decompressed: what has just been read is
// still in the cache when it is decompressed.
std::vector<Selection> pieces_of(const Dataset& dataset, const std::vector<std::string>& columns,
                                 const std::vector<Unit>& units) {
  uint64_t largest = 1;
  for (const Unit& unit : units) largest = std::max(largest, unit.decoded_bytes);
  const size_t count = std::min<size_t>(columns.size(), std::max<uint64_t>(1, largest / kPieceBytes));
  std::vector<Selection> pieces;
  for (size_t i = 0; i < count; ++i) {
    const auto first = columns.begin() + static_cast<std::ptrdiff_t>(columns.size() * i / count);
    const auto last = columns.begin() + static_cast<std::ptrdiff_t>(columns.size() * (i + 1) / count);
    pieces.push_back(dataset.select({first, last}));
  }
  return pieces;
}

void add_values(const Column& column, std::pair<double, double>& sum) {
  if (column.type.kind == TypeKind::kStruct) {
    for (const Column& member : column.children) add_values(member, sum);
    return;
  }
  if (column.type.kind == TypeKind::kString) {
    for (const uint8_t character : column.values.as<const uint8_t>()) sum.first += character;
    sum.second = sum.first;
    return;
  }
  const Column* innermost = &column;
  if (!innermost->type.is_primitive()) return add_values(innermost->item(), sum);
  const TypeKind kind = innermost->type.kind;
  const size_t size = primitive_size(kind);
  std::array<double, 512> tile;
  const auto count = static_cast<size_t>(innermost->length);
  for (size_t done = 0; done < count; done += tile.size()) {
    const auto values = std::span(tile).first(std::min(tile.size(), count - done));
    convert_values(innermost->values.data() + done * size, kind, 1, std::as_writable_bytes(values).data(),
                   DType::kFloat64, values.size());
    for (const double value : values) {
      sum.first += value;
      sum.second += std::abs(value);
    }
  }
}

}  // namespace

Passed decompress(const std::vector<FileBlocks>& files, size_t threads, const Pool& pool) {
  constexpr uint64_t kHandedOut = uint64_t{1} << 22;  // at once: enough that handing out costs nothing
  std::vector<Piece> pieces;
  for (const FileBlocks& file : files) {
    uint64_t bytes = kHandedOut;
    for (const Block& block : file.blocks) {
      if (bytes >= kHandedOut) {
        pieces.push_back({.file = &file, .blocks = {}});
        bytes = 0;
      }
      pieces.back().blocks.push_back(block);
      bytes += block.stored_bytes;
    }
  }
  parallel_for(pieces.size(), threads, [&](size_t i) {
    thread_local Scratch stored{pool};
    thread_local Scratch output{pool};
    read_blocks(pieces[i], stored, [&](const Block& block, Bytes bytes) {
      if (block.stored_bytes == block.bytes) return;
      codec::decompress(bytes, {output.get(block.bytes), block.bytes});
    });
  });
  return total(files);
}

Passed gather(const std::vector<FileBlocks>& files, size_t num_columns, int64_t window, size_t threads,
              const Pool& pool) {
  const std::vector<Rows> runs = runs_of_clusters(files, window);
  const std::vector<uint32_t> order = permutation(window);
  parallel_for(runs.size(), threads, [&](size_t r) {
    thread_local Scratch stored{pool};
    thread_local Scratch columns{pool};
    thread_local Scratch batch{pool};
    const EntryRange entries = runs[r].entries;
    const auto rows = static_cast<size_t>(entries.size());
    std::byte* const values = columns.get(rows * num_columns * kWord);
    read_blocks(runs[r].piece, stored, [&](const Block& block, Bytes bytes) {
      const size_t row = static_cast<size_t>(block.first_entry - entries.start);
      codec::decompress(bytes, {values + (block.column * rows + row) * kWord, block.bytes});
    });
    const auto* const words = static_cast<const uint32_t*>(static_cast<const void*>(values));
    auto* const out = static_cast<uint32_t*>(
        static_cast<void*>(batch.get(static_cast<size_t>(kBatchRows) * num_columns * kWord)));
    for (size_t start = 0; start < rows; start += static_cast<size_t>(window)) {
      const size_t held = std::min(rows - start, static_cast<size_t>(window));
      size_t filled = 0;
      for (const uint32_t row : order) {
        if (row >= held) continue;  // of a window that is not full
        for (size_t c = 0; c < num_columns; ++c)
          out[filled * num_columns + c] = words[c * rows + start + row];
        filled = (filled + 1) % static_cast<size_t>(kBatchRows);
      }
    }
  });
  return total(files);
}

int64_t decode(const Dataset& dataset, const std::vector<std::string>& columns, size_t threads,
               const Pool& pool, Sums* sums) {
  const std::vector<Unit> units = dataset.units(dataset.select(columns));
  const std::vector<Selection> pieces = pieces_of(dataset, columns, units);
  std::atomic<int64_t> rows{0};
  std::mutex mutex;
  if (sums) sums->assign(columns.size(), {0, 0});
  parallel_for(units.size(), threads, [&](size_t u) {
    size_t place = 0;
    for (const Selection& piece : pieces) {
      const FetchedUnit fetched = dataset.fetch(units[u], piece, pool);
      for (size_t i = 0; i < piece.columns.size(); ++i, ++place) {
        const Column column = dataset.decode(fetched, piece, i, pool);
        if (!sums) continue;
        std::pair<double, double> sum{0, 0};
        add_values(column, sum);
        const std::lock_guard lock(mutex);
        (*sums)[place].first += sum.first;
        (*sums)[place].second += sum.second;
      }
    }
    rows += units[u].entries.size();
  });
  return rows;
}

}  // namespace sapwood::ceiling
