#include "sapwood/expr/promotion.h"

#include <algorithm>

#include "sapwood/column/type.h"

namespace sapwood::expr {
namespace {

// Whether float32 holds every value, so that an operand does not widen one of float32.
bool fits_float32(TypeKind element) {
  switch (element) {
    case TypeKind::kBool:
    case TypeKind::kInt8:
    case TypeKind::kInt16:
    case TypeKind::kUInt8:
    case TypeKind::kUInt16:
    case TypeKind::kFloat32:
      return true;
    default:
      return false;
  }
}

}  // namespace

TypeKind computed_kind(TypeKind element) {
  const bool is_integer = element > TypeKind::kBool && element <= TypeKind::kUInt64;
  return is_integer ? TypeKind::kInt64 : element;
}

size_t place_of(TypeKind computed) {
  return static_cast<size_t>(std::find(kComputedKinds.begin(), kComputedKinds.end(), computed) -
                             kComputedKinds.begin());
}

TypeKind promote(std::span<const PromotedOperand> operands) {
  TypeKind highest = TypeKind::kBool;
  bool has_float32 = false;
  bool all_fit_float32 = true;
  for (const PromotedOperand& operand : operands) {
    highest = std::max(highest, computed_kind(operand.element));
    if (operand.is_weak) continue;
    has_float32 = has_float32 || operand.element == TypeKind::kFloat32;
    all_fit_float32 = all_fit_float32 && fits_float32(operand.element);
  }
  if (has_float32) return all_fit_float32 ? TypeKind::kFloat32 : TypeKind::kFloat64;
  return highest;
}

}  // namespace sapwood::expr
