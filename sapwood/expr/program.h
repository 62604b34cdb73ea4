#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sapwood/column/schema.h"
#include "sapwood/expr/constant.h"
#include "sapwood/expr/function.h"

namespace sapwood::expr {

/// The lists around an element, outermost first: their fixed sizes, or kJagged.
using Dimensions = std::vector<int64_t>;
inline constexpr int64_t kJagged = -1;

/// Where an operation takes an operand from: a constant of the program, or the result of an operation.
struct Input {
  bool is_constant = false;
  size_t index = 0;
  auto operator<=>(const Input&) const = default;
};

/// One step. What it does follows from the first four members: two that agree in them give the same.
struct Operation {
  enum class Kind : uint8_t {
    kLoad,       ///< a column as it is
    kConvert,    ///< the input's elements as `element`
    kBroadcast,  ///< the first input's elements, each repeated for all items that the second input has below
                 ///< it
    kElementwise,
    kReduction,
    kItem,  ///< of the first input's lists, that at the second input; the third where there is none
  };
  Kind kind = Kind::kLoad;
  size_t detail = 0;  ///< the column, or the function's place in functions()
  TypeKind
      element{};  ///< of the result; kElementwise and kReduction: of the operands, which chooses the overload
  std::vector<Input> inputs{};

  TypeKind result{};  ///< the kind of the result's elements
  Dimensions dimensions{};
  size_t place = 0;  ///< in the formula, for errors
};

/// A formula as steps over columns, each step behind those it uses.
struct Program {
  std::string text;
  std::vector<std::string> columns;
  std::vector<Type> column_types;
  std::vector<Constant> constants;
  std::vector<Operation> operations;
  /// For each operation, the last one that uses its result: itself when none does, none for the formula's
  /// result.
  std::vector<size_t> last_uses;
  Input result;
  Type type;
};

/// Parses and types a formula. Throws what the constructor of Expression does.
Program compile(std::string text, const Schema& schema);

}  // namespace sapwood::expr
