#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "sapwood/expr/constant.h"
#include "sapwood/expr/elementwise.h"
#include "sapwood/expr/function.h"

namespace sapwood::expr {
namespace {

// Calls `action` with each list, those of one size after another: how often its loop goes round is then as
// before, which processors foretell. As they come where all are of one size.
template <class Action>
void for_each_list(const Lists& lists, Action action) {
  constexpr int64_t kTile = 1024;  // lists that are sorted
  constexpr size_t kSizes = 17;    // the last one: of longer lists, where it hardly matters
  if (lists.offsets == nullptr) {
    for (int64_t list = 0; list < lists.count; ++list) action(list);
    return;
  }
  std::array<uint16_t, kTile> order;
  for (int64_t first = 0; first < lists.count; first += kTile) {
    const int64_t* const offsets = lists.offsets + first;
    const auto count = static_cast<size_t>(std::min(kTile, lists.count - first));
    const auto size = [offsets](size_t i) {
      return std::min(static_cast<size_t>(offsets[i + 1] - offsets[i]), kSizes - 1);
    };
    std::array<uint16_t, kSizes + 1> places{};  // of the first list of a size
    for (size_t i = 0; i < count; ++i) ++places[size(i) + 1];
    for (size_t i = 1; i < kSizes; ++i) places[i] = static_cast<uint16_t>(places[i] + places[i - 1]);
    for (size_t i = 0; i < count; ++i) order[places[size(i)]++] = static_cast<uint16_t>(i);
    for (size_t i = 0; i < count; ++i) action(first + order[i]);
  }
}

// A reduction is written as `list`: the result for the items between two pointers.
template <class Formula, class T>
void reduce(const void* values, const Lists& lists, void* out) {
  using FormulaResult = decltype(Formula{}(static_cast<const T*>(nullptr), static_cast<const T*>(nullptr)));
  using Result = std::conditional_t<std::is_same_v<FormulaResult, bool>, uint8_t, FormulaResult>;
  const auto* items = static_cast<const T*>(values);
  auto* results = static_cast<Result*>(out);
  for_each_list(lists, [&](int64_t list) {
    results[list] = static_cast<Result>(Formula{}(items + lists.start(list), items + lists.stop(list)));
  });
}

template <class T, class Formula>
constexpr Overload<ListKernel> reducing(Formula) {
  using Result = decltype(Formula{}(static_cast<const T*>(nullptr), static_cast<const T*>(nullptr)));
  return {&reduce<Formula, T>, kind_of<Result>()};
}

template <class Formula>
Function of_any_kind(std::vector<std::string_view> names, Formula formula) {
  return {std::move(names), 1, 1,
          ListFunction{.overloads = {{reducing<uint8_t>(formula), reducing<int64_t>(formula),
                                      reducing<float>(formula), reducing<double>(formula)}}}};
}

template <class Formula>
Function of_floats(std::vector<std::string_view> names, Formula formula) {
  return {std::move(names), 1, 1,
          ListFunction{.overloads = {{{}, {}, reducing<float>(formula), reducing<double>(formula)}}}};
}

template <class Formula>
Function of_conditions(std::vector<std::string_view> names, Formula formula) {
  return {std::move(names), 1, 1,
          ListFunction{.overloads = {{reducing<uint8_t>(formula), {}, {}, {}}}, .takes_conditions = true}};
}

// What a list without items has in place of an item.
template <class T>
constexpr T missing() {
  return std::is_floating_point_v<T> ? std::numeric_limits<T>::quiet_NaN() : T{0};
}

// Sums of float32 are kept in float64 and rounded once; those of integers wrap around. Of conditions, those
// that are true are counted.
template <class T>
using Accumulator = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;
template <class T>
using Total = std::conditional_t<std::is_same_v<T, uint8_t>, int64_t, T>;

template <class T>
Total<T> sum(const T* begin, const T* end) {
  Accumulator<T> total = 0;
  for (const T* item = begin; item != end; ++item) total += static_cast<Accumulator<T>>(*item);
  return static_cast<Total<T>>(total);
}

template <class T>
Total<T> product(const T* begin, const T* end) {
  Accumulator<T> total = 1;
  for (const T* item = begin; item != end; ++item) total *= static_cast<Accumulator<T>>(*item);
  return static_cast<Total<T>>(total);
}

template <class T>
T mean(const T* begin, const T* end) {
  double total = 0;
  for (const T* item = begin; item != end; ++item) total += static_cast<double>(*item);
  return static_cast<T>(total / static_cast<double>(end - begin));  // 0 / 0 is NaN
}

// The squares of the items' distances from their mean, summed up.
template <class T>
double squared_deviations(const T* begin, const T* end) {
  double total = 0;
  for (const T* item = begin; item != end; ++item) total += static_cast<double>(*item);
  const double mean = total / static_cast<double>(end - begin);
  double squares = 0;
  for (const T* item = begin; item != end; ++item) {
    const double deviation = static_cast<double>(*item) - mean;
    squares += deviation * deviation;
  }
  return squares;
}

// Of the population, as in NumPy.
template <class T>
double variance(const T* begin, const T* end) {
  return squared_deviations(begin, end) / static_cast<double>(end - begin);  // 0 / 0 is NaN
}

// As ROOT estimates it from a sample.
template <class T>
double sample_variance(const T* begin, const T* end) {
  return end - begin < 2 ? 0 : squared_deviations(begin, end) / static_cast<double>(end - begin - 1);
}

// The item that `better` puts before all others, or NaN when one is. Without branches, which nobody could
// foretell.
template <class T, class Better>
T extreme_value(const T* begin, const T* end, Better better) {
  if (begin == end) return missing<T>();
  T best = *begin;
  bool has_nan = is_nan(best);
  for (const T* item = begin + 1; item != end; ++item) {
    has_nan |= is_nan(*item);
    best = better(best, *item) ? best : *item;
  }
  return has_nan ? missing<T>() : best;
}

// The place of the first such item; -1 when there are no items.
template <class T, class Better>
int64_t extreme_index(const T* begin, const T* end, Better better) {
  if (begin == end) return -1;
  const T* best = begin;
  for (const T* item = begin + 1; item != end && !is_nan(*best); ++item) {
    if (better(*item, *best) || is_nan(*item)) best = item;
  }
  return best - begin;
}

template <class T>
T median(std::vector<T>& items) {
  if (items.empty() || std::ranges::any_of(items, is_nan<T>)) return missing<T>();
  const auto middle = items.begin() + static_cast<ptrdiff_t>(items.size() / 2);
  std::ranges::nth_element(items, middle);
  return items.size() % 2 != 0 ? *middle : (*std::max_element(items.begin(), middle) + *middle) / 2;
}

template <class T>
void medians(const void* values, const Lists& lists, void* out) {
  const auto* items = static_cast<const T*>(values);
  std::vector<T> list_items;  // in another order
  for (int64_t list = 0; list < lists.count; ++list) {
    list_items.assign(items + lists.start(list), items + lists.stop(list));
    static_cast<T*>(out)[list] = median(list_items);
  }
}

Function median_function() {
  return {{"median"},
          1,
          1,
          ListFunction{
              .overloads = {
                  {{}, {}, {&medians<float>, TypeKind::kFloat32}, {&medians<double>, TypeKind::kFloat64}}}}};
}

// Rounded to the items' type.
template <class T>
T as_items(const T*, double value) {
  return static_cast<T>(value);
}

constexpr auto kLess = [](auto a, auto b) { return a < b; };
constexpr auto kGreater = [](auto a, auto b) { return a > b; };

void count_items(const void*, const Lists& lists, void* out) {
  auto* counts = static_cast<int64_t*>(out);
  for (int64_t list = 0; list < lists.count; ++list) counts[list] = lists.stop(list) - lists.start(list);
}

Function count_function() {
  const Overload<ListKernel> counting{&count_items, TypeKind::kInt64};
  return {{"count", "size", "len", "num", "Size"},
          1,
          1,
          ListFunction{.overloads = {{counting, counting, counting, counting}}, .takes_any = true}};
}

}  // namespace

std::vector<Function> reductions() {
  return {
      of_any_kind({"sum", "Sum"}, [](auto* begin, auto* end) { return sum(begin, end); }),
      of_any_kind({"prod", "Product"}, [](auto* begin, auto* end) { return product(begin, end); }),
      of_floats({"mean", "Mean"}, [](auto* begin, auto* end) { return mean(begin, end); }),
      of_floats({"var"}, [](auto* begin, auto* end) { return as_items(begin, variance(begin, end)); }),
      of_floats({"std"},
                [](auto* begin, auto* end) { return as_items(begin, std::sqrt(variance(begin, end))); }),
      of_floats({"Var"}, [](auto* begin, auto* end) { return as_items(begin, sample_variance(begin, end)); }),
      of_floats(
          {"StdDev"},
          [](auto* begin, auto* end) { return as_items(begin, std::sqrt(sample_variance(begin, end))); }),
      median_function(),
      of_any_kind({"min", "Min"}, [](auto* begin, auto* end) { return extreme_value(begin, end, kLess); }),
      of_any_kind({"max", "Max"}, [](auto* begin, auto* end) { return extreme_value(begin, end, kGreater); }),
      of_any_kind({"argmin", "ArgMin"},
                  [](auto* begin, auto* end) { return extreme_index(begin, end, kLess); }),
      of_any_kind({"argmax", "ArgMax"},
                  [](auto* begin, auto* end) { return extreme_index(begin, end, kGreater); }),
      of_conditions({"any", "Any"},
                    [](auto* begin, auto* end) {
                      bool found = false;
                      for (auto* item = begin; item != end && !found; ++item) found = *item != 0;
                      return found;
                    }),
      of_conditions({"all", "All"},
                    [](auto* begin, auto* end) {
                      bool all = true;
                      for (auto* item = begin; item != end && all; ++item) all = *item != 0;
                      return all;
                    }),
      count_function(),
      composed({"ptp"}, {"x"}, {"max(x) - min(x)"}),
      composed({"dot", "Dot"}, {"a", "b"}, {"sum(a * b)"}),
  };
}

}  // namespace sapwood::expr
