#include "sapwood/expr/value.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "sapwood/kernels/element_size.h"

namespace sapwood::expr {
namespace {

template <class Action>
void with_elements(const Value& value, Action&& action) {
  kernels::with_element(primitive_size(value.element), std::forward<Action>(action));
}

// Where the lists below item `item` of level `level - 1` begin among the elements.
int64_t first_element(const std::vector<Level>& levels, size_t level, int64_t item) {
  for (; level < levels.size(); ++level) item = levels[level].lists().start(item);
  return item;
}

// The entry that list `list` of level `level` belongs to.
int64_t entry_of(const std::vector<Level>& levels, size_t level, int64_t list) {
  while (level-- > 0) {
    const Lists outer = levels[level].lists();
    if (outer.offsets == nullptr) {
      list /= outer.fixed_size;
    } else {
      const int64_t* end = outer.offsets + outer.count + 1;
      list = std::upper_bound(outer.offsets, end, list) - outer.offsets - 1;
    }
  }
  return list;
}

Buffer index_buffer(int64_t count, const std::shared_ptr<MemoryPool>& pool) {
  return {static_cast<size_t>(count) * sizeof(int64_t), pool};
}

// Calls `action` with each index in the lists `picks`, by its number, with the place of its item among all
// items of `lists`, and with all bits where there is one, else none and any place.
template <class Action>
void for_each_place(const Lists& lists, const Lists& picks, const Operand& indices, Action action) {
  const auto* in = static_cast<const int64_t*>(indices.data);
  const auto act = [&](int64_t pick, int64_t index, int64_t start, int64_t stop) {
    const uint64_t place = static_cast<uint64_t>(index < 0 ? stop : start) + static_cast<uint64_t>(index);
    const bool is_there = place - static_cast<uint64_t>(start) < static_cast<uint64_t>(stop - start);
    action(pick, place, -uint64_t{is_there});
  };
  if (indices.is_constant && lists.offsets != nullptr && picks.offsets == nullptr && picks.fixed_size == 1) {
    // Most often: the same item of every list.
    const int64_t index = *in;
    for (int64_t list = 0; list < lists.count; ++list)
      act(list, index, lists.offsets[list], lists.offsets[list + 1]);
    return;
  }
  for (int64_t list = 0; list < lists.count; ++list) {
    const int64_t start = lists.start(list);
    const int64_t stop = lists.stop(list);
    const int64_t last = picks.stop(list);
    for (int64_t pick = picks.start(list); pick < last; ++pick)
      act(pick, in[indices.is_constant ? 0 : pick], start, stop);
  }
}

// Of the lists at `places` of `from`, the lists themselves, and the places of their items. A list that is not
// there is empty or, of a fixed size, has items that are not there.
std::optional<std::pair<Level, Buffer>> take_lists(const Level& from, const Buffer& places,
                                                   const std::shared_ptr<MemoryPool>& pool) {
  const auto taken = places.as<const int64_t>();
  const Lists lists = from.lists();
  Level level{.fixed_size = from.fixed_size, .count = static_cast<int64_t>(taken.size())};
  if (lists.offsets != nullptr) {
    level.offsets = index_buffer(level.count + 1, pool);
    const auto offsets = level.offsets.as<int64_t>();
    offsets[0] = 0;
    for (size_t i = 0; i < taken.size(); ++i) {
      const int64_t size = taken[i] < 0 ? 0 : lists.stop(taken[i]) - lists.start(taken[i]);
      offsets[i + 1] = offsets[i] + size;
    }
  }
  if (level.num_items() > kMaxItems) return std::nullopt;
  Buffer items = index_buffer(level.num_items(), pool);
  int64_t* out = items.as<int64_t>().data();
  const Lists result = level.lists();
  for (int64_t i = 0; i < level.count; ++i) {
    const int64_t source = taken[static_cast<size_t>(i)];
    const int64_t size = result.stop(i) - result.start(i);
    for (int64_t k = 0; k < size; ++k) *out++ = source < 0 ? -1 : lists.start(source) + k;
  }
  return std::pair(std::move(level), std::move(items));
}

// The element at each place that `for_each` names.
template <class ForEachPlace>
Value take_elements(const Value& from, int64_t count, std::vector<Level> levels, const Operand& otherwise,
                    const std::shared_ptr<MemoryPool>& pool, ForEachPlace for_each) {
  Value result = make_value(from.element, count, std::move(levels), pool);
  with_elements(from, [&]<class T>(T) {
    const auto* others = static_cast<const T*>(otherwise.data);
    const T* elements = from.count > 0 ? from.elements.as<const T>().data() : others;
    T* out = result.elements.as<T>().data();
    // Both are read, and one is masked: no branch, which nobody could foretell.
    const auto chosen = [elements](T other, uint64_t place, uint64_t is_there) {
      return static_cast<T>(other ^ ((elements[place & is_there] ^ other) & static_cast<T>(is_there)));
    };
    if (otherwise.is_constant) {
      const T other = *others;
      for_each(
          [=](int64_t i, uint64_t place, uint64_t is_there) { out[i] = chosen(other, place, is_there); });
    } else {
      for_each(
          [=](int64_t i, uint64_t place, uint64_t is_there) { out[i] = chosen(others[i], place, is_there); });
    }
  });
  return result;
}

// Elements that are written at once, also where a list has fewer: those of the next one come over them.
constexpr int64_t kTogether = 4;

// Without what was written behind the last element.
Value shortened(Value value, int64_t count) {
  value.count = count;
  value.elements = value.elements.first(static_cast<size_t>(count) * primitive_size(value.element));
  return value;
}

// Items of a part, one after another.
struct Run {
  const Value* part = nullptr;
  int64_t start = 0;
  int64_t stop = 0;
};

// The lists in the runs as one level; the runs become those of their items.
Level level_of_runs(std::span<const Value* const> parts, std::vector<Run>& runs, size_t level,
                    const std::shared_ptr<MemoryPool>& pool) {
  const Level& first = parts.front()->levels[level];
  const bool is_fixed = std::ranges::all_of(parts, [&](const Value* part) {
    return part->levels[level].offsets.empty() && part->levels[level].fixed_size == first.fixed_size;
  });
  Level result{.fixed_size = is_fixed ? first.fixed_size : 0};
  for (const Run& run : runs) result.count += run.stop - run.start;
  if (!is_fixed) result.offsets = index_buffer(result.count + 1, pool);
  int64_t* offset = result.offsets.as<int64_t>().data();
  if (!is_fixed) *offset = 0;
  for (Run& run : runs) {
    const Lists lists = run.part->levels[level].lists();
    for (int64_t list = run.start; !is_fixed && list < run.stop; ++list, ++offset) {
      offset[1] = offset[0] + lists.stop(list) - lists.start(list);
    }
    run.start = lists.start(run.start);
    run.stop = lists.start(run.stop);
  }
  return result;
}

// The outermost lists of all parts as one level, and the runs that their items are.
std::pair<Level, std::vector<Run>> joined_lists(std::span<const Value* const> parts,
                                                const std::shared_ptr<MemoryPool>& pool) {
  Level level{.count = parts.front()->levels.front().count};
  const bool is_fixed =
      std::ranges::all_of(parts, [](const Value* part) { return part->levels.front().offsets.empty(); });
  if (is_fixed) {
    for (const Value* part : parts) level.fixed_size += part->levels.front().fixed_size;
  } else {
    level.offsets = index_buffer(level.count + 1, pool);
    level.offsets.as<int64_t>()[0] = 0;
  }
  std::vector<Run> runs;
  for (int64_t entry = 0; entry < level.count; ++entry) {
    int64_t size = 0;
    for (const Value* part : parts) {
      const Lists lists = part->levels.front().lists();
      runs.push_back({part, lists.start(entry), lists.stop(entry)});
      size += lists.stop(entry) - lists.start(entry);
    }
    if (is_fixed) continue;
    const auto offsets = level.offsets.as<int64_t>().subspan(static_cast<size_t>(entry));
    offsets[1] = offsets[0] + size;
  }
  return {std::move(level), std::move(runs)};
}

}  // namespace

Value value_of(const Column& column) {
  Value value;
  const Column* part = &column;
  for (; part->type.kind == TypeKind::kList || part->type.kind == TypeKind::kFixedList;
       part = &part->item()) {
    value.levels.push_back(
        {.fixed_size = part->type.fixed_size, .offsets = part->offsets, .count = part->length});
  }
  value.element = part->type.kind;
  value.count = part->length;
  value.elements = part->values;
  if (value.element == TypeKind::kString) value.string_offsets = part->offsets;
  return value;
}

Column column_of(Value value) {
  Column column{.type = value.element, .length = value.count, .values = std::move(value.elements)};
  for (auto level = value.levels.rbegin(); level != value.levels.rend(); ++level) {
    Type type =
        level->offsets.empty() ? Type::fixed_list(column.type, level->fixed_size) : Type::list(column.type);
    Column outer{.type = std::move(type), .length = level->count, .offsets = std::move(level->offsets)};
    outer.children.push_back(std::move(column));
    column = std::move(outer);
  }
  return column;
}

Value make_value(TypeKind element, int64_t count, std::vector<Level> levels,
                 const std::shared_ptr<MemoryPool>& pool) {
  const size_t size = static_cast<size_t>(count) * primitive_size(element);
  return {.element = element, .count = count, .elements = Buffer(size, pool), .levels = std::move(levels)};
}

Value broadcast(const Value& part, const Value& like, const std::shared_ptr<MemoryPool>& pool) {
  const size_t depth = part.levels.size();
  std::vector<Level> levels = part.levels;
  levels.insert(levels.end(), like.levels.begin() + static_cast<ptrdiff_t>(depth), like.levels.end());
  Value result = make_value(part.element, like.count + kTogether, std::move(levels), pool);
  with_elements(part, [&]<class T>(T) {
    const T* in = part.elements.as<const T>().data();
    T* out = result.elements.as<T>().data();
    // Most often there is one level below.
    const Lists lists = result.levels[depth].lists();
    const bool is_innermost = depth + 1 == result.levels.size();
    int64_t start = 0;
    for (int64_t i = 0; i < part.count; ++i) {
      const int64_t stop = is_innermost ? lists.stop(i) : first_element(result.levels, depth, i + 1);
      for (; start < stop; start += kTogether) std::fill_n(out + start, kTogether, in[i]);
      start = stop;
    }
  });
  return shortened(std::move(result), like.count);
}

std::optional<Value> items_at(const Value& lists, const Operand& indices, std::span<const Level> index_levels,
                              const Operand& otherwise, const std::shared_ptr<MemoryPool>& pool) {
  const size_t level = index_levels.empty() ? 0 : index_levels.size() - 1;
  const Lists into = lists.levels[level].lists();
  const Lists picks =
      index_levels.empty() ? Lists{.fixed_size = 1, .count = into.count} : index_levels.back().lists();
  const int64_t count = picks.start(picks.count);
  std::vector<Level> levels(lists.levels.begin(), lists.levels.begin() + static_cast<ptrdiff_t>(level));
  if (!index_levels.empty()) levels.push_back(index_levels.back());
  // Most often the items are elements, whose places need not be kept.
  if (level + 1 == lists.levels.size()) {
    return take_elements(lists, count, std::move(levels), otherwise, pool,
                         [&](auto take) { for_each_place(into, picks, indices, take); });
  }
  Buffer places = index_buffer(count, pool);
  for_each_place(into, picks, indices,
                 [out = places.as<int64_t>().data()](int64_t pick, uint64_t place, uint64_t is_there) {
                   out[pick] = is_there != 0 ? static_cast<int64_t>(place) : -1;
                 });
  for (size_t i = level + 1; i < lists.levels.size(); ++i) {
    auto taken = take_lists(lists.levels[i], places, pool);
    if (!taken) return std::nullopt;
    levels.push_back(std::move(taken->first));
    places = std::move(taken->second);
  }
  const auto elements = places.as<const int64_t>();
  return take_elements(lists, static_cast<int64_t>(elements.size()), std::move(levels), otherwise, pool,
                       [&](auto take) {
                         for (size_t i = 0; i < elements.size(); ++i)
                           take(static_cast<int64_t>(i), static_cast<uint64_t>(elements[i]),
                                elements[i] < 0 ? 0 : ~uint64_t{0});
                       });
}

Value selected(const Value& lists, const Value& conditions, const std::shared_ptr<MemoryPool>& pool) {
  const Lists in = lists.levels.back().lists();
  std::vector<Level> levels(lists.levels.begin(), lists.levels.end() - 1);
  levels.push_back({.offsets = index_buffer(in.count + 1, pool), .count = in.count});
  Value result = make_value(lists.element, lists.count, std::move(levels), pool);
  int64_t* const offsets = result.levels.back().offsets.as<int64_t>().data();
  const uint8_t* const is_wanted = conditions.elements.as<const uint8_t>().data();
  int64_t count = 0;
  with_elements(lists, [&]<class T>(T) {
    // Item by item and then list by list: a loop over the items of each list would end where nobody could
    // foretell.
    std::array<int64_t, 1024> before;  // wanted items
    const T* const items = lists.elements.as<const T>().data();
    T* const out = result.elements.as<T>().data();
    int64_t list = 0;
    for (int64_t first = 0; first < lists.count; first += std::ssize(before)) {
      const int64_t stop = std::min(first + std::ssize(before), lists.count);
      for (int64_t i = first; i < stop; ++i) {
        before[static_cast<size_t>(i - first)] = count;
        out[count] = items[i];
        count += is_wanted[i] != 0 ? 1 : 0;
      }
      for (; list <= in.count && in.start(list) < stop; ++list)
        offsets[list] = before[static_cast<size_t>(in.start(list) - first)];
    }
    for (; list <= in.count; ++list) offsets[list] = count;
  });
  return shortened(std::move(result), count);
}

std::optional<Value> make_indices(const IndexFunction& function, std::span<const ListOperand> arguments,
                                  std::vector<Level> outer, int64_t fixed_size,
                                  const std::shared_ptr<MemoryPool>& pool) {
  Level level{.fixed_size = std::max(fixed_size, int64_t{0}), .count = arguments.front().lists.count};
  if (fixed_size > 0 && level.count > kMaxItems / fixed_size) return std::nullopt;
  if (fixed_size < 0) {
    level.offsets = index_buffer(level.count + 1, pool);
    int64_t* offsets = level.offsets.as<int64_t>().data();
    offsets[0] = 0;
    function.sizes(arguments, level.count, offsets + 1);
    for (int64_t list = 0; list < level.count; ++list) {
      if (offsets[list + 1] > kMaxItems - offsets[list]) return std::nullopt;
      offsets[list + 1] += offsets[list];
    }
  }
  outer.push_back(level);
  Value result = make_value(TypeKind::kInt64, level.num_items() + 1, std::move(outer), pool);
  function.fill(arguments, level.lists(), result.elements.as<int64_t>().data());
  return shortened(std::move(result), level.num_items());
}

std::optional<Value> concatenated(std::span<const Value* const> parts,
                                  const std::shared_ptr<MemoryPool>& pool) {
  std::vector<Level> levels;
  auto [outermost, runs] = joined_lists(parts, pool);
  levels.push_back(std::move(outermost));
  while (levels.back().num_items() <= kMaxItems && levels.size() < parts.front()->levels.size()) {
    levels.push_back(level_of_runs(parts, runs, levels.size(), pool));
  }
  if (levels.back().num_items() > kMaxItems) return std::nullopt;
  const int64_t count = levels.back().num_items();
  Value result = make_value(parts.front()->element, count, std::move(levels), pool);
  const size_t size = primitive_size(result.element);
  std::byte* out = result.elements.data();
  for (const Run& run : runs) {
    const std::byte* from = run.part->elements.data();
    out = std::copy(from + static_cast<size_t>(run.start) * size, from + static_cast<size_t>(run.stop) * size,
                    out);
  }
  return result;
}

Value flattened(const Value& lists, const std::shared_ptr<MemoryPool>& pool) {
  const Lists outer = lists.levels[0].lists();
  const Lists inner = lists.levels[1].lists();
  Level level{.fixed_size = outer.fixed_size * inner.fixed_size, .count = outer.count};
  if (outer.offsets != nullptr || inner.offsets != nullptr) {
    level.offsets = index_buffer(level.count + 1, pool);
    const auto offsets = level.offsets.as<int64_t>();
    for (int64_t i = 0; i <= level.count; ++i) {
      offsets[static_cast<size_t>(i)] = inner.start(outer.start(i));
    }
  }
  Value result = lists;
  result.levels.erase(result.levels.begin());
  result.levels.front() = std::move(level);
  return result;
}

std::optional<Mismatch> find_mismatch(const Value& a, const Value& b, size_t depth) {
  for (size_t level = 0; level < depth; ++level) {
    const Lists first = a.levels[level].lists();
    const Lists second = b.levels[level].lists();
    if (first.offsets == second.offsets && first.fixed_size == second.fixed_size) continue;
    for (int64_t list = 0; list < first.count; ++list) {
      const int64_t first_size = first.stop(list) - first.start(list);
      const int64_t second_size = second.stop(list) - second.start(list);
      if (first_size != second_size) {
        return Mismatch{entry_of(a.levels, level, list), {first_size, second_size}};
      }
    }
  }
  return std::nullopt;
}

}  // namespace sapwood::expr
