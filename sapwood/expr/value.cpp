#include "sapwood/expr/value.h"

#include <algorithm>
#include <utility>

namespace sapwood::expr {
namespace {

template <class Action>
void with_type(TypeKind element, Action&& action) {
  switch (element) {
    case TypeKind::kInt64:
      return action(int64_t{});
    case TypeKind::kFloat32:
      return action(float{});
    case TypeKind::kFloat64:
      return action(double{});
    default:
      return action(uint8_t{});
  }
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

// For each entry the place of its item among all items, or -1.
Buffer places_of_items(const Lists& lists, const Operand& indices, const std::shared_ptr<MemoryPool>& pool) {
  Buffer places = index_buffer(lists.count, pool);
  const auto out = places.as<int64_t>();
  const auto* in = static_cast<const int64_t*>(indices.data);
  for (int64_t entry = 0; entry < lists.count; ++entry) {
    const int64_t index = in[indices.is_constant ? 0 : entry];
    const int64_t start = lists.start(entry);
    const int64_t size = lists.stop(entry) - start;
    const bool is_there = index >= -size && index < size;
    out[static_cast<size_t>(entry)] = is_there ? (index < 0 ? start + size : start) + index : -1;
  }
  return places;
}

// Of the lists at `places` of `from`, the lists themselves, and the places of their items. A list that is not
// there is empty or, of a fixed size, has items that are not there.
std::pair<Level, Buffer> take_lists(const Level& from, const Buffer& places,
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
  Buffer items = index_buffer(level.num_items(), pool);
  int64_t* out = items.as<int64_t>().data();
  const Lists result = level.lists();
  for (int64_t i = 0; i < level.count; ++i) {
    const int64_t source = taken[static_cast<size_t>(i)];
    const int64_t size = result.stop(i) - result.start(i);
    for (int64_t k = 0; k < size; ++k) *out++ = source < 0 ? -1 : lists.start(source) + k;
  }
  return {std::move(level), std::move(items)};
}

template <class T>
void take_elements(const Value& from, std::span<const int64_t> places, const Operand& otherwise, T* out) {
  const T* elements = from.elements.as<const T>().data();
  const auto* others = static_cast<const T*>(otherwise.data);
  for (size_t i = 0; i < places.size(); ++i) {
    out[i] = places[i] >= 0 ? elements[places[i]] : others[otherwise.is_constant ? 0 : i];
  }
}

}  // namespace

Value value_of(const Column& column) {
  Value value;
  const Column* part = &column;
  for (; !part->type.is_primitive(); part = &part->item()) {
    value.levels.push_back(
        {.fixed_size = part->type.fixed_size, .offsets = part->offsets, .count = part->length});
  }
  value.element = part->type.kind;
  value.count = part->length;
  value.elements = part->values;
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
  Value result = make_value(part.element, like.count, std::move(levels), pool);
  with_type(part.element, [&]<class T>(T) {
    const T* in = part.elements.as<const T>().data();
    T* out = result.elements.as<T>().data();
    // Most often there is one level below.
    const Lists lists = result.levels[depth].lists();
    const bool is_innermost = depth + 1 == result.levels.size();
    int64_t start = 0;
    for (int64_t i = 0; i < part.count; ++i) {
      const int64_t stop = is_innermost ? lists.stop(i) : first_element(result.levels, depth, i + 1);
      for (; start < stop; ++start) out[start] = in[i];
    }
  });
  return result;
}

Value items_at(const Value& lists, const Operand& indices, const Operand& otherwise,
               const std::shared_ptr<MemoryPool>& pool) {
  Buffer places = places_of_items(lists.levels.front().lists(), indices, pool);
  std::vector<Level> levels;
  for (size_t i = 1; i < lists.levels.size(); ++i) {
    auto [level, items] = take_lists(lists.levels[i], places, pool);
    levels.push_back(std::move(level));
    places = std::move(items);
  }
  const auto elements = places.as<const int64_t>();
  Value result = make_value(lists.element, static_cast<int64_t>(elements.size()), std::move(levels), pool);
  with_type(lists.element,
            [&]<class T>(T) { take_elements(lists, elements, otherwise, result.elements.as<T>().data()); });
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
