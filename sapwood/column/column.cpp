#include "sapwood/column/column.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "sapwood/base/error.h"
#include "sapwood/kernels/element_size.h"

namespace sapwood {
namespace {

size_t offsets_size(int64_t length) { return (static_cast<size_t>(length) + 1) * sizeof(int64_t); }

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

Column copy_runs(std::span<const Run> runs, const std::shared_ptr<MemoryPool>& pool);

// The runs of the items of lists, or of the characters of strings; writes the joined offsets.
Runs item_runs(std::span<const Run> runs, std::span<int64_t> offsets,
               const std::shared_ptr<MemoryPool>& pool) {
  Runs items(runs.size(), pool);
  size_t next = 0;
  int64_t end = 0;
  offsets[next++] = 0;
  for (const Run& run : runs) {
    const std::span<const int64_t> from = run.column->offset_span().subspan(
        static_cast<size_t>(run.start), static_cast<size_t>(run.length) + 1);
    const int64_t shift = end - from.front();
    if (run.length > 0)
      offsets[next++] = from[1] + shift;  // often there is no more, and a loop takes longer to begin
    for (size_t i = 2; i < from.size(); ++i) offsets[next++] = from[i] + shift;
    items.add({run.column, from.front(), from.back() - from.front()});
    end += from.back() - from.front();
  }
  return items;
}

constexpr int64_t kShortRun = 8;  // elements that are copied without a call

// Elements of `element_size` bytes from the values of each run's column.
Buffer copy_values(std::span<const Run> runs, size_t element_size, const std::shared_ptr<MemoryPool>& pool) {
  size_t size = 0;
  for (const Run& run : runs) size += static_cast<size_t>(run.length) * element_size;
  Buffer values(size, pool);
  std::byte* out = values.data();
  kernels::with_element(element_size, [&]<class T>(T) {
    for (const Run& run : runs) {
      const std::byte* from = run.column->values.data() + static_cast<size_t>(run.start) * sizeof(T);
      const size_t bytes = static_cast<size_t>(run.length) * sizeof(T);
      if (run.length <= kShortRun) {
        for (size_t at = 0; at < bytes; at += sizeof(T)) std::memcpy(out + at, from + at, sizeof(T));
      } else {
        std::memcpy(out, from, bytes);
      }
      out += bytes;
    }
  });
  return values;
}

// The children of the runs' columns; each run is of `fixed_size` items for every entry of these.
Column copy_children(std::span<const Run> runs, size_t child, int64_t fixed_size,
                     const std::shared_ptr<MemoryPool>& pool) {
  Runs items(runs.size(), pool);
  for (const Run& run : runs)
    items.add({&run.column->children[child], run.start * fixed_size, run.length * fixed_size});
  return copy_runs(items.all(), pool);
}

Column copy_runs(std::span<const Run> runs, const std::shared_ptr<MemoryPool>& pool) {
  const Type& type = runs.front().column->type;
  Column result{.type = type};
  for (const Run& run : runs) result.length += run.length;
  switch (type.kind) {
    case TypeKind::kString:
    case TypeKind::kList: {
      result.offsets = Buffer(offsets_size(result.length), pool);
      const Runs items = item_runs(runs, result.offsets.as<int64_t>(), pool);
      if (type.kind == TypeKind::kString) {
        result.values = copy_values(items.all(), 1, pool);
      } else {
        result.children.push_back(copy_children(items.all(), 0, 1, pool));
      }
      break;
    }
    case TypeKind::kFixedList:
      result.children.push_back(copy_children(runs, 0, type.fixed_size, pool));
      break;
    case TypeKind::kStruct:
      for (size_t child = 0; child < type.children.size(); ++child)
        result.children.push_back(copy_children(runs, child, 1, pool));
      break;
    default:
      result.values = copy_values(runs, primitive_size(type.kind), pool);
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

// Without branches, which nobody can foretell: each entry is written down as the next start and stop, and
// most are written over.
std::vector<EntryRange> kept_ranges(std::span<const uint8_t> keep) {
  size_t count = 0;
  for (size_t entry = 0; entry < keep.size(); ++entry)
    count += static_cast<size_t>(keep[entry] != 0 && (entry == 0 || keep[entry - 1] == 0));
  std::vector<EntryRange> ranges(count + 1);
  size_t starts = 0;
  size_t stops = 0;
  bool before = false;
  for (size_t entry = 0; entry < keep.size(); ++entry) {
    const bool now = keep[entry] != 0;
    ranges[starts].start = static_cast<int64_t>(entry);
    ranges[stops].stop = static_cast<int64_t>(entry);
    starts += static_cast<size_t>(now && !before);
    stops += static_cast<size_t>(before && !now);
    before = now;
  }
  if (before) ranges[stops].stop = std::ssize(keep);
  ranges.pop_back();
  return ranges;
}

Column entries_of(const Column& column, std::span<const EntryRange> ranges,
                  const std::shared_ptr<MemoryPool>& pool) {
  Runs runs(ranges.size() + 1, pool);
  runs.add({&column, 0, 0});
  for (const EntryRange& range : ranges) {
    if (range.start < 0 || range.stop < range.start || range.stop > column.length)
      throw SchemaError(
          concat("entries [", range.start, ", ", range.stop, ") of a column of ", column.length));
    runs.add({&column, range.start, range.size()});
  }
  return copy_runs(runs.all(), pool);
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
