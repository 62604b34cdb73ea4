#include "sapwood/column/column.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <functional>

#include "sapwood/base/error.h"
#include "sapwood/kernels/decode.h"

namespace sapwood {
namespace {

void require_fixed_width(const Type& type) {
  const Type* innermost = &type;
  while (innermost->kind == TypeKind::kFixedList) innermost = &innermost->item();
  if (!innermost->is_primitive())
    throw SchemaError("a column of " + type.to_string() + " has no fixed width");
}

// Bytes of `length` entries of a type of fixed width.
size_t fixed_size(const Type& type, int64_t length) {
  require_fixed_width(type);
  size_t size = 0;
  if (length < 0 || __builtin_mul_overflow(static_cast<size_t>(length), fixed_entry_size(type), &size)) {
    throw SchemaError(concat("no column can have ", length, " entries of ", type.to_string()));
  }
  return size;
}

bool same_bytes(const std::byte* a, const std::byte* b, size_t size) {
  return size == 0 || std::memcmp(a, b, size) == 0;
}

}  // namespace

uint64_t Column::byte_size() const {
  uint64_t size = values.size() + offsets.size();
  for (const Column& child : children) size += child.byte_size();
  return size;
}

Column make_fixed_width_column(const Type& type, int64_t length, Buffer values) {
  if (values.size() != fixed_size(type, length)) {
    throw SchemaError(
        concat(length, " entries of ", type.to_string(), " don't take ", values.size(), " bytes"));
  }
  Column column{.type = type, .length = length};
  if (type.kind == TypeKind::kFixedList) {
    column.children.push_back(
        make_fixed_width_column(type.item(), length * type.fixed_size, std::move(values)));
  } else {
    column.values = std::move(values);
  }
  return column;
}

Column make_fixed_width_column(const Type& type, int64_t length, const std::shared_ptr<MemoryPool>& pool) {
  return make_fixed_width_column(type, length, Buffer(fixed_size(type, length), pool));
}

Buffer fixed_width_values(const Column& column) {
  require_fixed_width(column.type);
  const Column* innermost = &column;
  while (innermost->type.kind == TypeKind::kFixedList) innermost = &innermost->item();
  return innermost->values;
}

namespace {

// A run of entries of a column. Slicing one column and joining several are the same copy of runs.
struct Run {
  const Column* column;
  int64_t start;
  int64_t length;
};

// Runs in memory of a pool: there may be as many as entries.
class Runs {
 public:
  Runs(size_t most, const std::shared_ptr<MemoryPool>& pool) : memory_(most * sizeof(Run), pool) {}
  void add(const Run& run) { memory_.as<Run>()[size_++] = run; }
  std::span<Run> all() const { return memory_.as<Run>().first(size_); }

 private:
  Buffer memory_;
  size_t size_ = 0;
};

// Bytes that are copied at once where both sides have room for them, also where the run is shorter: the next
// one comes over what is too much.
constexpr size_t kTogether = 64;

// One run's bytes after another.
class RunCopy {
 public:
  explicit RunCopy(const Buffer& to) : out_(to.data()), end_(to.data() + to.size()) {}
  void copy(const Buffer& from, size_t start, size_t size) {
    if (size <= kTogether && start + kTogether <= from.size() &&
        static_cast<size_t>(end_ - out_) >= kTogether) {
      std::memcpy(out_, from.data() + start, kTogether);
    } else if (size != 0) {
      std::memcpy(out_, from.data() + start, size);
    }
    out_ += size;
  }

 private:
  std::byte* out_;
  std::byte* end_;
};

// The joined offsets of the runs' lists, or strings.
Buffer copy_offsets(std::span<const Run> runs, int64_t length, const std::shared_ptr<MemoryPool>& pool) {
  Buffer buffer(offsets_size(length), pool);
  int64_t* offset = buffer.as<int64_t>().data();
  *offset = 0;
  for (const Run& run : runs) {
    if (run.length == 0) continue;
    const int64_t* from = run.column->offset_span().data() + run.start;
    const int64_t shift = *offset - from[0];
    *++offset = from[1] + shift;  // often there is no more, and a loop takes longer to begin
    for (int64_t i = 2; i <= run.length; ++i) *++offset = from[i] + shift;
  }
  return buffer;
}

// The items of the lists of a run, or the characters of its strings.
EntryRange items_of(const Run& run) {
  const auto offsets = run.column->offset_span();
  return {offsets[static_cast<size_t>(run.start)], offsets[static_cast<size_t>(run.start + run.length)]};
}

// The values of lists or strings, of `element_size` bytes each.
Buffer copy_items(std::span<const Run> runs, int64_t count, size_t element_size,
                  const std::shared_ptr<MemoryPool>& pool) {
  Buffer values(static_cast<size_t>(count) * element_size, pool);
  RunCopy copy(values);
  for (const Run& run : runs) {
    const EntryRange items = items_of(run);
    const Column& column = run.column->type.kind == TypeKind::kString ? *run.column : run.column->item();
    copy.copy(column.values, static_cast<size_t>(items.start) * element_size,
              static_cast<size_t>(items.size()) * element_size);
  }
  return values;
}

Buffer copy_values(std::span<const Run> runs, int64_t length, size_t element_size,
                   const std::shared_ptr<MemoryPool>& pool) {
  Buffer values(static_cast<size_t>(length) * element_size, pool);
  RunCopy copy(values);
  for (const Run& run : runs) {
    copy.copy(run.column->values, static_cast<size_t>(run.start) * element_size,
              static_cast<size_t>(run.length) * element_size);
  }
  return values;
}

Column copy_runs(std::span<const Run> runs, const std::shared_ptr<MemoryPool>& pool, Buffer offsets = {});

// The children of the runs' columns; `range_of` tells a run's entries of them.
template <class RangeOf>
Column copy_children(std::span<const Run> runs, size_t child, RangeOf range_of,
                     const std::shared_ptr<MemoryPool>& pool) {
  Runs items(runs.size(), pool);
  for (const Run& run : runs) {
    const EntryRange range = range_of(run);
    items.add({&run.column->children[child], range.start, range.size()});
  }
  return copy_runs(items.all(), pool);
}

// `offsets`: the joined ones of lists or strings, where they are known.
Column copy_runs(std::span<const Run> runs, const std::shared_ptr<MemoryPool>& pool, Buffer offsets) {
  const Type& type = runs.front().column->type;
  Column result{.type = type};
  for (const Run& run : runs) result.length += run.length;
  switch (type.kind) {
    case TypeKind::kString:
    case TypeKind::kList: {
      result.offsets = offsets.empty() ? copy_offsets(runs, result.length, pool) : std::move(offsets);
      const int64_t count = result.offset_span().back();
      if (type.kind == TypeKind::kString) {
        result.values = copy_items(runs, count, 1, pool);
      } else if (type.item().is_primitive()) {
        const size_t size = primitive_size(type.item().kind);
        result.children.push_back({.type = type.item(), .length = count});
        result.children.front().values = copy_items(runs, count, size, pool);
      } else {
        result.children.push_back(copy_children(runs, 0, items_of, pool));
      }
      break;
    }
    case TypeKind::kFixedList:
    case TypeKind::kStruct: {
      const int64_t size = type.kind == TypeKind::kStruct ? 1 : type.fixed_size;
      const auto range_of = [size](const Run& run) {
        return EntryRange{run.start * size, (run.start + run.length) * size};
      };
      for (size_t child = 0; child < type.children.size(); ++child)
        result.children.push_back(copy_children(runs, child, range_of, pool));
      break;
    }
    default:
      result.values = copy_values(runs, result.length, primitive_size(type.kind), pool);
  }
  return result;
}

}  // namespace

Column concatenate(std::span<const Column> parts, const std::shared_ptr<MemoryPool>& pool) {
  if (parts.empty()) throw SchemaError("no columns to concatenate");
  if (parts.size() == 1) return parts.front();
  Runs runs(parts.size(), pool);
  for (const Column& part : parts) {
    if (part.type != parts.front().type) {
      throw SchemaError("a column of " + part.type.to_string() + " after one of " +
                        parts.front().type.to_string());
    }
    runs.add({&part, 0, part.length});
  }
  return copy_runs(runs.all(), pool);
}

Column slice(const Column& column, int64_t start, int64_t length, const std::shared_ptr<MemoryPool>& pool) {
  if (start < 0 || length < 0 || start > column.length || length > column.length - start) {
    throw SchemaError(
        concat("entries [", start, ", ", start, " + ", length, ") of a column of ", column.length));
  }
  const Run run{&column, start, length};
  return copy_runs({&run, 1}, pool);
}

std::vector<EntryRange> kept_ranges(std::span<const uint8_t> keep) {
  // As bits, 64 entries at a time: a step for each range, not for each entry.
  std::vector<EntryRange> ranges;
  std::array<uint64_t, 64> words;
  constexpr size_t kBits = 64;
  for (size_t tile = 0; tile < keep.size(); tile += kBits * words.size()) {
    const auto of_tile = keep.subspan(tile, std::min(kBits * words.size(), keep.size() - tile));
    words[(of_tile.size() - 1) / kBits] = 0;
    kernels::pack_bits(std::as_bytes(of_tile).data(), std::as_writable_bytes(std::span(words)).data(),
                       of_tile.size());
    for (size_t first = 0; first < of_tile.size(); first += kBits) {
      auto entry = static_cast<int64_t>(tile + first);
      for (uint64_t bits = words[first / kBits]; bits != 0;) {
        const int before = std::countr_zero(bits);
        bits >>= before;
        const int length = std::countr_one(bits);
        bits = length == static_cast<int>(kBits) ? 0 : bits >> length;
        entry += before;
        if (ranges.empty() || ranges.back().stop != entry) ranges.push_back({entry, entry});
        entry += length;
        ranges.back().stop = entry;
      }
    }
  }
  return ranges;
}

Column entries_of(const Column& column, std::span<const EntryRange> ranges,
                  const std::shared_ptr<MemoryPool>& pool, const Buffer& offsets) {
  Runs runs(ranges.size() + 1, pool);
  runs.add({&column, 0, 0});
  for (const EntryRange& range : ranges) {
    if (range.start < 0 || range.stop < range.start || range.stop > column.length)
      throw SchemaError(
          concat("entries [", range.start, ", ", range.stop, ") of a column of ", column.length));
    runs.add({&column, range.start, range.size()});
  }
  return copy_runs(runs.all(), pool, offsets);
}

Column blank_column(const Type& type, int64_t length, const std::shared_ptr<MemoryPool>& pool) {
  Column column{.type = type, .length = length};
  const auto zeros = [&pool](size_t size) {
    Buffer buffer(size, pool);
    std::memset(buffer.data(), 0, size);
    return buffer;
  };
  if (type.kind == TypeKind::kString || type.kind == TypeKind::kList)
    column.offsets = zeros(offsets_size(length));
  if (type.is_primitive()) column.values = zeros(static_cast<size_t>(length) * primitive_size(type.kind));
  for (const Field& child : type.children) {
    const int64_t items = type.kind == TypeKind::kList ? 0 : length * std::max<int64_t>(type.fixed_size, 1);
    column.children.push_back(blank_column(child.type, items, pool));
  }
  return column;
}

Column spread(const Column& column, std::span<const int64_t> places, int64_t length,
              const std::shared_ptr<MemoryPool>& pool) {
  if (std::ssize(places) != column.length || column.length > length ||
      !std::ranges::is_sorted(places, std::less_equal<>{}) ||
      (!places.empty() && (places.front() < 0 || places.back() >= length))) {
    throw SchemaError(concat(column.length, " entries at ", places.size(), " places among ", length));
  }
  const Column blanks = blank_column(column.type, length - column.length, pool);
  Runs runs(2 * places.size() + 2, pool);
  runs.add({&column, 0, 0});
  int64_t next = 0;  // entry of the result
  for (int64_t i = 0; i < column.length; ++i) {
    const int64_t gap = places[static_cast<size_t>(i)] - next;
    if (gap > 0) runs.add({&blanks, 0, gap});
    if (gap > 0) runs.add({&column, i, 0});
    ++runs.all().back().length;
    next += gap + 1;
  }
  runs.add({&blanks, 0, length - next});
  return copy_runs(runs.all(), pool);
}

bool identical(const Column& a, const Column& b) {
  if (a.type != b.type || a.length != b.length) return false;
  const size_t length = static_cast<size_t>(a.length);
  if (a.type.is_primitive()) {
    return same_bytes(a.values.data(), b.values.data(), length * primitive_size(a.type.kind));
  }
  if (a.type.kind == TypeKind::kString || a.type.kind == TypeKind::kList) {
    if (!same_bytes(a.offsets.data(), b.offsets.data(), offsets_size(a.length))) return false;
    if (a.type.kind == TypeKind::kString) {
      return same_bytes(a.values.data(), b.values.data(), static_cast<size_t>(a.offset_span()[length]));
    }
  }
  return std::equal(a.children.begin(), a.children.end(), b.children.begin(), b.children.end(), identical);
}

}  // namespace sapwood
