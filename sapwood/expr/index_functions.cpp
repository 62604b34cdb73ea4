#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <numeric>
#include <vector>

#include "sapwood/expr/elementwise.h"
#include "sapwood/expr/function.h"

namespace sapwood::expr {
namespace {

using Arguments = std::span<const ListOperand>;
using Argument = IndexFunction::Argument;

constexpr int64_t kTooMany = kMaxItems + 1;
constexpr int64_t kMostMembers = 4;  // of a combination

int64_t product(int64_t a, int64_t b) { return b != 0 && a > kMaxItems / b ? kTooMany : a * b; }

// nonzero(conditions): the items that are true.

int64_t count_true(Arguments arguments, int64_t list) {
  const auto items = arguments[0].items_of<uint8_t>(list);
  return std::ranges::count_if(items, [](uint8_t item) { return item != 0; });
}

void fill_true(Arguments arguments, int64_t list, int64_t* out) {
  const auto items = arguments[0].items_of<uint8_t>(list);
  for (size_t i = 0; i < items.size(); ++i) {
    *out = static_cast<int64_t>(i);
    out += items[i] != 0 ? 1 : 0;  // no branch, which nobody could foretell
  }
}

// argslice(lists, begin, end): those of Python's lists[begin:end].

int64_t slice_bound(const ListOperand& bound, int64_t list, int64_t size) {
  const int64_t index = bound.integer(list);
  return std::clamp(index < 0 ? index + size : index, int64_t{0}, size);
}

int64_t slice_size(Arguments arguments, int64_t list) {
  const int64_t size = arguments[0].size(list);
  return std::max(slice_bound(arguments[2], list, size) - slice_bound(arguments[1], list, size), int64_t{0});
}

void fill_slice(Arguments arguments, int64_t list, int64_t* out) {
  const int64_t begin = slice_bound(arguments[1], list, arguments[0].size(list));
  std::iota(out, out + slice_size(arguments, list), begin);
}

// argpad(lists, n): the first n indices, the last -n when it is negative, also of items that are not there.

int64_t pad_size(Arguments arguments, int64_t list) {
  const int64_t count = arguments.back().integer(list);
  return count < -kMaxItems ? kTooMany : std::abs(count);
}

void fill_pad(Arguments arguments, int64_t list, int64_t* out) {
  const int64_t count = arguments.back().integer(list);
  std::iota(out, out + std::abs(count), std::min(count, int64_t{0}));
}

// What a column of integers asks for is not known: as if for the lists that are there.
double expected_pad(std::span<const double> arguments) {
  return std::max(std::fabs(arguments[1]), arguments[0]);
}

// Range(n): 0, 1, ..., n - 1.

int64_t range_size(Arguments arguments, int64_t list) {
  return std::max(arguments[0].integer(list), int64_t{0});
}

void fill_range(Arguments arguments, int64_t list, int64_t* out) {
  std::iota(out, out + range_size(arguments, list), int64_t{0});
}

// A guess at what integers of the entries are.
double expected_range(std::span<const double>) { return 16; }

// argintersect(a, b): the items of a that b has too.

template <class T, class Action>
void for_each_shared(Arguments arguments, int64_t list, Action action) {
  const auto items = arguments[0].items_of<T>(list);
  const auto others = arguments[1].items_of<T>(list);
  std::vector<T> sorted;
  std::ranges::copy_if(others, std::back_inserter(sorted), [](T other) { return !is_nan(other); });
  std::ranges::sort(sorted);
  for (size_t i = 0; i < items.size(); ++i) {
    if (!is_nan(items[i]) && std::ranges::binary_search(sorted, items[i])) action(static_cast<int64_t>(i));
  }
}

template <class Action>
void for_each_shared_of_kind(Arguments arguments, int64_t list, Action action) {
  switch (arguments[0].element) {
    case TypeKind::kInt64:
      return for_each_shared<int64_t>(arguments, list, action);
    case TypeKind::kFloat32:
      return for_each_shared<float>(arguments, list, action);
    case TypeKind::kFloat64:
      return for_each_shared<double>(arguments, list, action);
    default:
      return for_each_shared<uint8_t>(arguments, list, action);
  }
}

int64_t count_shared(Arguments arguments, int64_t list) {
  int64_t count = 0;
  for_each_shared_of_kind(arguments, list, [&](int64_t) { ++count; });
  return count;
}

void fill_shared(Arguments arguments, int64_t list, int64_t* out) {
  for_each_shared_of_kind(arguments, list, [&](int64_t item) { *out++ = item; });
}

// argdrop(lists, indices): all but these.

std::vector<bool> dropped(Arguments arguments, int64_t list) {
  const int64_t size = arguments[0].size(list);
  std::vector<bool> drops(static_cast<size_t>(size));
  for (const int64_t index : arguments[1].items_of<int64_t>(list)) {
    if (index >= -size && index < size) drops[static_cast<size_t>(index < 0 ? index + size : index)] = true;
  }
  return drops;
}

int64_t count_left(Arguments arguments, int64_t list) {
  return std::ranges::count(dropped(arguments, list), false);
}

void fill_left(Arguments arguments, int64_t list, int64_t* out) {
  const std::vector<bool> drops = dropped(arguments, list);
  for (size_t i = 0; i < drops.size(); ++i) {
    if (!drops[i]) *out++ = static_cast<int64_t>(i);
  }
}

// argcombinations(lists, n, k): member k of each choice of n items i < j < ..., in lexicographic order.

int64_t count_combinations(Arguments arguments, int64_t list) {
  const int64_t size = arguments[0].size(list);
  const int64_t members = arguments[1].integer(0);
  if (size < members) return 0;
  if (size > kMaxItems) return kTooMany;
  int64_t count = 1;
  for (int64_t i = 0; i < members; ++i) {
    count = count * (size - i) / (i + 1);  // a whole number, and neither factor is above 2^31
    if (count > kMaxItems) return kTooMany;
  }
  return count;
}

void fill_combinations(Arguments arguments, int64_t list, int64_t* out) {
  const int64_t size = arguments[0].size(list);
  const auto members = static_cast<size_t>(arguments[1].integer(0));
  const auto member = static_cast<size_t>(arguments[2].integer(0));
  const auto highest = [&](size_t i) { return size - static_cast<int64_t>(members - i); };
  std::array<int64_t, kMostMembers> chosen{};
  std::iota(chosen.begin(), chosen.end(), int64_t{0});
  if (size < static_cast<int64_t>(members)) return;
  while (true) {
    *out++ = chosen[member];
    size_t last = members;  // to be moved on: the last one that is not at its end
    while (last > 0 && chosen[last - 1] == highest(last - 1)) --last;
    if (last == 0) return;
    std::iota(chosen.begin() + static_cast<ptrdiff_t>(last) - 1, chosen.end(), chosen[last - 1] + 1);
  }
}

// The mean of n items' combinations for lists whose sizes follow a geometric distribution, wider than those
// of particles in events.
double expected_combinations(std::span<const double> arguments) {
  return std::pow(arguments[0], arguments[1]);
}

// argcartesian(a, b, k): member k of each pair of an item of a and one of b, the latter running faster.

int64_t count_pairs(Arguments arguments, int64_t list) {
  return product(arguments[0].size(list), arguments[1].size(list));
}

void fill_pairs(Arguments arguments, int64_t list, int64_t* out) {
  const bool is_second = arguments[2].integer(0) == 1;
  for (int64_t i = 0; i < arguments[0].size(list); ++i) {
    for (int64_t j = 0; j < arguments[1].size(list); ++j) *out++ = is_second ? j : i;
  }
}

// For lists of one size, which again follows a geometric distribution: independent ones have fewer.
double expected_pairs(std::span<const double> arguments) {
  return 2 * arguments[0] * arguments[1] + std::max(arguments[0], arguments[1]);
}

// Those of all lists, of functions for one.
template <int64_t (*size)(Arguments, int64_t)>
void sizes_by(Arguments arguments, int64_t count, int64_t* out) {
  for (int64_t list = 0; list < count; ++list) out[list] = size(arguments, list);
}

template <void (*fill)(Arguments, int64_t, int64_t*)>
void filled_by(Arguments arguments, const Lists& lists, int64_t* out) {
  for (int64_t list = 0; list < lists.count; ++list) fill(arguments, list, out + lists.start(list));
}

Function indexing(std::string_view name, IndexFunction body) {
  const size_t count = body.arguments.size();
  return {{name}, count, count, std::move(body)};
}

}  // namespace

std::vector<Function> index_functions() {
  return {
      {{"nonzero", "Nonzero"},
       1,
       1,
       IndexFunction{.arguments = {Argument::kConditions},
                     .sizes = &sizes_by<count_true>,
                     .fill = &filled_by<fill_true>}},
      indexing("argslice", {.arguments = {Argument::kLists, Argument::kInteger, Argument::kInteger},
                            .sizes = &sizes_by<slice_size>,
                            .fill = &filled_by<fill_slice>}),
      indexing("argpad", {.arguments = {Argument::kLists, Argument::kInteger},
                          .sizes = &sizes_by<pad_size>,
                          .fill = &filled_by<fill_pad>,
                          .looks_at_lists = false,
                          .expected = &expected_pad}),
      indexing("Range", {.arguments = {Argument::kInteger},
                         .sizes = &sizes_by<range_size>,
                         .fill = &filled_by<fill_range>,
                         .expected = &expected_range}),
      indexing("argintersect", {.arguments = {Argument::kAlike, Argument::kAlike},
                                .sizes = &sizes_by<count_shared>,
                                .fill = &filled_by<fill_shared>}),
      indexing("argdrop", {.arguments = {Argument::kLists, Argument::kIndices},
                           .sizes = &sizes_by<count_left>,
                           .fill = &filled_by<fill_left>}),
      indexing("argcombinations", {.arguments = {Argument::kLists, Argument::kConstant, Argument::kConstant},
                                   .sizes = &sizes_by<count_combinations>,
                                   .fill = &filled_by<fill_combinations>,
                                   .accepts =
                                       [](std::span<const int64_t> constants) {
                                         return constants[0] >= 2 && constants[0] <= kMostMembers &&
                                                constants[1] >= 0 && constants[1] < constants[0];
                                       },
                                   .accepted = "2 to 4 items, and a member from 0 to one less",
                                   .expected = &expected_combinations}),
      indexing("argcartesian",
               {.arguments = {Argument::kLists, Argument::kLists, Argument::kConstant},
                .sizes = &sizes_by<count_pairs>,
                .fill = &filled_by<fill_pairs>,
                .accepts =
                    [](std::span<const int64_t> constants) { return constants[0] == 0 || constants[0] == 1; },
                .accepted = "member 0 or 1",
                .expected = &expected_pairs}),
  };
}

}  // namespace sapwood::expr
