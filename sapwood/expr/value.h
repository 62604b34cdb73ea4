#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sapwood/column/column.h"
#include "sapwood/expr/function.h"

namespace sapwood::expr {

/// The lists of one depth, over all entries.
struct Level {
  int64_t fixed_size = 0;  ///< where there are no offsets
  Buffer offsets{};        ///< int64[count + 1], from 0, of jagged lists
  int64_t count = 0;

  Lists lists() const {
    return {.offsets = offsets.empty() ? nullptr : offsets.as<const int64_t>().data(),
            .fixed_size = fixed_size,
            .count = count};
  }
  int64_t num_items() const { return lists().start(count); }
};

/// What a step of a program gives: elements, and the lists around them, outermost first.
struct Value {
  TypeKind element{};
  int64_t count = 0;  ///< elements
  Buffer elements{};
  std::vector<Level> levels{};
  Buffer string_offsets{};  ///< int64[count + 1], where the elements are strings, whose characters `elements`
                            ///< has

  std::string_view string(int64_t i) const {
    const auto offsets = string_offsets.as<const int64_t>().subspan(static_cast<size_t>(i));
    const auto characters = elements.as<const char>();
    return {characters.data() + offsets[0], static_cast<size_t>(offsets[1] - offsets[0])};
  }
};

/// The column's buffers, shared. Numbers, bool and strings in lists to any depth.
Value value_of(const Column& column);
Column column_of(Value value);

/// Room for `count` elements within `levels`.
Value make_value(TypeKind element, int64_t count, std::vector<Level> levels,
                 const std::shared_ptr<MemoryPool>& pool);

/// The values of `part`, which has fewer levels than `like`, each repeated for all elements that `like` has
/// below it. The outer levels agree.
Value broadcast(const Value& part, const Value& like, const std::shared_ptr<MemoryPool>& pool);

/// The items of the innermost lists whose conditions, in lists of the same sizes, are true.
Value selected(const Value& lists, const Value& conditions, const std::shared_ptr<MemoryPool>& pool);

// The following give nothing where the lists of a level would have more than kMaxItems items.

/// The items at `indices`, int64, from the end when they are negative; `otherwise` where there is none, or an
/// empty list where the items are lists. Without `index_levels` there is an index for each entry, which goes
/// into its outermost list; else those in the lists of a depth go into the lists of that depth, whose place
/// they take.
std::optional<Value> items_at(const Value& lists, const Operand& indices, std::span<const Level> index_levels,
                              const Operand& otherwise, const std::shared_ptr<MemoryPool>& pool);

/// What the function makes of lists that are inside of `outer`; lists of `fixed_size`, unless that is
/// negative.
std::optional<Value> make_indices(const IndexFunction& function, std::span<const ListOperand> arguments,
                                  std::vector<Level> outer, int64_t fixed_size,
                                  const std::shared_ptr<MemoryPool>& pool);

/// The items of the parts' outermost lists, one part after another in each entry. All have the same number of
/// levels and the same kind of elements.
std::optional<Value> concatenated(std::span<const Value* const> parts,
                                  const std::shared_ptr<MemoryPool>& pool);

/// The lists of the two outermost levels as one level; the elements are shared.
Value flattened(const Value& lists, const std::shared_ptr<MemoryPool>& pool);

/// Two lists that should be of one size.
struct Mismatch {
  int64_t entry = 0;
  int64_t sizes[2] = {};
};

/// The first lists of the outermost `depth` levels that differ in their sizes.
std::optional<Mismatch> find_mismatch(const Value& a, const Value& b, size_t depth);

}  // namespace sapwood::expr
