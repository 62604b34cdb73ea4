#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sapwood/column/type.h"

namespace sapwood::expr {

/// The kinds that formulas compute with, in the order of promotion. Every function has at most one overload
/// for each.
inline constexpr std::array<TypeKind, 4> kComputedKinds = {TypeKind::kBool, TypeKind::kInt64,
                                                           TypeKind::kFloat32, TypeKind::kFloat64};

/// A loop over operands of one kind, and the kind of its results. No kernel: the function does not take the
/// kind.
template <class Kernel>
struct Overload {
  Kernel kernel = nullptr;
  TypeKind result{};
};
template <class Kernel>
using Overloads = std::array<Overload<Kernel>, kComputedKinds.size()>;

/// An input of a kernel: one element for each result, or one for all.
struct Operand {
  const void* data = nullptr;
  bool is_constant = false;
};

/// Computes `count` results, each of the operands' elements at its place.
using ElementwiseKernel = void (*)(std::span<const Operand> operands, void* out, size_t count);

struct Elementwise {
  Overloads<ElementwiseKernel> overloads;
  /// So many leading operands are conditions: converted to bool, and without a part in the promotion.
  size_t num_conditions = 0;
  /// Whether integer operands, of which those are known that are constant, have to be computed as float64.
  bool (*needs_floating)(std::span<const std::optional<int64_t>> operands) = nullptr;
  bool divides = false;  ///< by the second operand, which is no constant 0
};

/// Where `count` lists begin and end among their items.
struct Lists {
  const int64_t* offsets = nullptr;  ///< null for lists of `fixed_size` items each
  int64_t fixed_size = 0;
  int64_t count = 0;
  int64_t start(int64_t list) const { return offsets != nullptr ? offsets[list] : list * fixed_size; }
  int64_t stop(int64_t list) const { return start(list + 1); }
};

/// Computes one result for each list, or one for each item.
using ListKernel = void (*)(const void* values, const Lists& lists, void* out);

/// A function that goes over the items of each innermost list.
struct ListFunction {
  Overloads<ListKernel> overloads;
  bool takes_conditions = false;  ///< the items are converted to bool
  bool takes_any = false;         ///< the items are not looked at
  bool keeps_lists = false;       ///< a result for each item: the lists stay
};

/// What an IndexFunction is given for an argument: lists of one level with their items, or a value for each
/// of the lists.
struct ListOperand {
  Lists lists{};
  Operand items{};
  TypeKind element{};  ///< of the items, where the function takes kAlike

  int64_t size(int64_t list) const { return lists.stop(list) - lists.start(list); }
  template <class T>
  std::span<const T> items_of(int64_t list) const {
    return {static_cast<const T*>(items.data) + lists.start(list), static_cast<size_t>(size(list))};
  }
  int64_t integer(int64_t list) const {
    return static_cast<const int64_t*>(items.data)[items.is_constant ? 0 : list];
  }
};

/// A function that makes lists of indices of items: one for each of the lists of one level, that of its
/// conditions or indices, else the outermost one.
struct IndexFunction {
  enum class Argument : uint8_t {
    kLists,       ///< lists of anything
    kAlike,       ///< lists that end at this level, of a kind that all of these have in common
    kConditions,  ///< lists of bool
    kIndices,     ///< lists of int64
    kInteger,     ///< an int64 for each entry
    kConstant,    ///< an int64
  };
  std::vector<Argument> arguments;  ///< the first one is of lists, or an integer for each entry
  /// Writes how many indices there are for each of `count` lists, kMaxItems + 1 for any number above it.
  void (*sizes)(std::span<const ListOperand> arguments, int64_t count, int64_t* out) = nullptr;
  /// Writes these. One more may be written behind the last.
  void (*fill)(std::span<const ListOperand> arguments, const Lists& lists, int64_t* out) = nullptr;
  bool looks_at_lists = true;  ///< else how many there are follows from the integers alone
  /// Whether all constants are of use, and which are.
  bool (*accepts)(std::span<const int64_t> constants) = nullptr;
  std::string_view accepted{};
  /// The mean number of indices per entry, from that of items in each argument and the values of constants.
  /// None: each item's index is there at most once.
  double (*expected)(std::span<const double> arguments) = nullptr;
};

/// The most items that the lists of a level may have in all, where functions make more of them.
inline constexpr int64_t kMaxItems = int64_t{1} << 31;

/// The items of lists at an index, or at indices.
struct Item {
  bool takes_numbers = false;  ///< a single integer is not an index but how many items are taken
};

/// Lists of lists with one level less, or as lists of values.
struct Flattening {
  bool of_all_levels = false;
};

/// The items of lists one after another, entry by entry.
struct Concatenation {};

/// A function written as a formula of its parameters. Several formulas: the last argument is a constant that
/// says which one.
struct Composition {
  std::vector<std::string_view> parameters;
  std::vector<std::string_view> formulas;
};

/// A function or an operator. Several may share a name when they take different numbers of arguments.
struct Function {
  std::vector<std::string_view> names;
  size_t min_arguments = 1;
  size_t max_arguments = 1;
  std::variant<Elementwise, ListFunction, IndexFunction, Item, Concatenation, Flattening, Composition> body;
};

/// Of a function that takes any number of arguments.
inline constexpr size_t kAnyNumber = SIZE_MAX;

/// A function that is composed of others.
Function composed(std::vector<std::string_view> names, std::vector<std::string_view> parameters,
                  std::vector<std::string_view> formulas);

/// All functions and operators.
const std::vector<Function>& functions();

// The parts of that table.
std::vector<Function> operators();
std::vector<Function> mathematical_functions();
std::vector<Function> selecting_functions();
std::vector<Function> physical_functions();
std::vector<Function> reductions();
std::vector<Function> item_functions();
std::vector<Function> index_functions();
std::vector<Function> selections_of_items();

}  // namespace sapwood::expr
