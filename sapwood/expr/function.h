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
};

/// Where `count` lists begin and end among their items.
struct Lists {
  const int64_t* offsets = nullptr;  ///< null for lists of `fixed_size` items each
  int64_t fixed_size = 0;
  int64_t count = 0;
  int64_t start(int64_t list) const { return offsets != nullptr ? offsets[list] : list * fixed_size; }
  int64_t stop(int64_t list) const { return start(list + 1); }
};

/// Computes one result for each list.
using ReductionKernel = void (*)(const void* values, const Lists& lists, void* out);

struct Reduction {
  Overloads<ReductionKernel> overloads;
  bool takes_conditions = false;  ///< the items are converted to bool
  bool takes_any = false;         ///< the items are not looked at
};

/// The item of each entry's list at an index.
struct Item {};

/// A function or an operator. Several may share a name when they take different numbers of arguments.
struct Function {
  std::vector<std::string_view> names;
  size_t min_arguments = 1;
  size_t max_arguments = 1;
  std::variant<Elementwise, Reduction, Item> body;
};

/// All functions and operators.
const std::vector<Function>& functions();

// The parts of that table.
std::vector<Function> operators();
std::vector<Function> mathematical_functions();
std::vector<Function> selecting_functions();
std::vector<Function> physical_functions();
std::vector<Function> reductions();

}  // namespace sapwood::expr
