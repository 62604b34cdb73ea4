#pragma once

#include <span>

#include "sapwood/expr/function.h"

namespace sapwood::expr {

/// What promotion asks of an operand. Constants are weak: they take the kind of the columns that they meet.
struct PromotedOperand {
  TypeKind element{};
  bool is_weak = false;
};

/// The kind that operands are computed with together, after NumPy's rules, except that all integers become
/// int64.
TypeKind promote(std::span<const PromotedOperand> operands);

/// The kind among kComputedKinds that holds all values of `element`.
TypeKind computed_kind(TypeKind element);

/// The place of a kind in kComputedKinds.
size_t place_of(TypeKind computed);

/// The first kind from `promoted` on for which there is an overload: floating kinds stand for themselves
/// alone. kString when there is none.
template <class Kernel>
TypeKind choose_overload(const Overloads<Kernel>& overloads, TypeKind promoted) {
  const bool is_floating = promoted == TypeKind::kFloat32 || promoted == TypeKind::kFloat64;
  for (const TypeKind kind : kComputedKinds) {
    const bool is_candidate = is_floating ? kind == promoted : kind >= promoted && kind != TypeKind::kFloat32;
    if (is_candidate && overloads[place_of(kind)].kernel != nullptr) return kind;
  }
  return TypeKind::kString;
}

}  // namespace sapwood::expr
