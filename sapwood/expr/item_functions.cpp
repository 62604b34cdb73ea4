#include <algorithm>
#include <numeric>

#include "sapwood/expr/elementwise.h"
#include "sapwood/expr/function.h"

namespace sapwood::expr {
namespace {

// Written as `Formula`: from the items between two pointers to as many results.
template <class Formula, class T, class Result>
void over_items(const void* values, const Lists& lists, void* out) {
  const auto* items = static_cast<const T*>(values);
  auto* results = static_cast<Result*>(out);
  for (int64_t list = 0; list < lists.count; ++list) {
    Formula{}(items + lists.start(list), items + lists.stop(list), results + lists.start(list));
  }
}

template <class T, class Result, class Formula>
constexpr Overload<ListKernel> overload_over_items(Formula) {
  return {&over_items<Formula, T, Result>, kind_of<Result>()};
}

// The results are of the items' kind.
template <class Formula>
Function rearranging(std::vector<std::string_view> names, Formula formula) {
  return {std::move(names), 1, 1,
          ListFunction{.overloads = {{overload_over_items<uint8_t, uint8_t>(formula),
                                      overload_over_items<int64_t, int64_t>(formula),
                                      overload_over_items<float, float>(formula),
                                      overload_over_items<double, double>(formula)}},
                       .keeps_lists = true}};
}

// NaN comes last, as in NumPy.
constexpr auto kComesBefore = [](auto a, auto b) { return is_nan(b) ? !is_nan(a) : a < b; };

constexpr auto kSort = [](auto* begin, auto* end, auto* out) {
  std::copy(begin, end, out);
  std::stable_sort(out, out + (end - begin), kComesBefore);
};

constexpr auto kSortIndices = [](auto* begin, auto* end, int64_t* out) {
  std::iota(out, out + (end - begin), int64_t{0});
  std::stable_sort(out, out + (end - begin),
                   [&](int64_t a, int64_t b) { return kComesBefore(begin[a], begin[b]); });
};

// Sums of floating values are kept in float64, those of integers wrap around.
constexpr auto kSumUp = [](auto* begin, auto* end, auto* out) {
  using T = std::remove_pointer_t<decltype(out)>;
  std::conditional_t<std::is_floating_point_v<T>, double, uint64_t> total = 0;
  for (; begin != end; ++begin, ++out) {
    total += static_cast<decltype(total)>(*begin);
    *out = static_cast<T>(total);
  }
};

// Whether an item differs from the one before it; NaN and NaN do not.
constexpr auto kBeginsRun = [](auto* begin, auto* end, uint8_t* out) {
  for (auto* item = begin; item != end; ++item) {
    const bool goes_on = item != begin && (*item == item[-1] || (is_nan(*item) && is_nan(item[-1])));
    *out++ = goes_on ? 0 : 1;
  }
};

Function begins_run_function() {
  return {{"begins_run"},
          1,
          1,
          ListFunction{.overloads = {{overload_over_items<uint8_t, uint8_t>(kBeginsRun),
                                      overload_over_items<int64_t, uint8_t>(kBeginsRun),
                                      overload_over_items<float, uint8_t>(kBeginsRun),
                                      overload_over_items<double, uint8_t>(kBeginsRun)}},
                       .keeps_lists = true}};
}

Function argsort_function() {
  return {{"argsort", "Argsort", "StableArgsort"},
          1,
          1,
          ListFunction{.overloads = {{overload_over_items<uint8_t, int64_t>(kSortIndices),
                                      overload_over_items<int64_t, int64_t>(kSortIndices),
                                      overload_over_items<float, int64_t>(kSortIndices),
                                      overload_over_items<double, int64_t>(kSortIndices)}},
                       .keeps_lists = true}};
}

Function cumsum_function() {
  return {{"cumsum"},
          1,
          1,
          ListFunction{.overloads = {{{},
                                      overload_over_items<int64_t, int64_t>(kSumUp),
                                      overload_over_items<float, float>(kSumUp),
                                      overload_over_items<double, double>(kSumUp)}},
                       .keeps_lists = true}};
}

void number_items(const void*, const Lists& lists, void* out) {
  auto* indices = static_cast<int64_t*>(out);
  for (int64_t list = 0; list < lists.count; ++list) {
    std::iota(indices + lists.start(list), indices + lists.stop(list), int64_t{0});
  }
}

Function local_index_function() {
  const Overload<ListKernel> numbering{&number_items, TypeKind::kInt64};
  return {{"local_index", "Enumerate"},
          1,
          1,
          ListFunction{.overloads = {{numbering, numbering, numbering, numbering}},
                       .takes_any = true,
                       .keeps_lists = true}};
}

}  // namespace

std::vector<Function> item_functions() {
  return {
      rearranging({"sort", "Sort", "StableSort"}, kSort),
      rearranging({"reverse", "Reverse"},
                  [](auto* begin, auto* end, auto* out) { std::reverse_copy(begin, end, out); }),
      argsort_function(),
      cumsum_function(),
      local_index_function(),
      begins_run_function(),
      composed({"unique"}, {"x"}, {"sort(x)[begins_run(sort(x))]"}),
  };
}

}  // namespace sapwood::expr
