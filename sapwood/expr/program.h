#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "sapwood/column/schema.h"
#include "sapwood/column/user_function.h"
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
    kLists,    ///< what a ListFunction gives
    kIndices,  ///< what an IndexFunction gives
    kItem,     ///< of the first input's lists, those at the second input; the third where there is none.
               ///< A fourth has lists of the first one's sizes.
    kSelect,   ///< of the first input's innermost lists, the items where the second is true
    kConcatenation,  ///< the inputs' lists, one after another in each entry
    kUserFunction,   ///< what a UserFunction gives
    kFlatten,        ///< the input's two outermost levels as one
    kSameStrings,    ///< whether the first input's strings are those of the second, or without one the
                     ///< program's string `detail`
  };
  Kind kind = Kind::kLoad;
  size_t detail = 0;  ///< the column, or the function's place in functions() or among the program's
  TypeKind
      element{};  ///< of the result; kElementwise and kLists: of the operands, which chooses the overload
  std::vector<Input> inputs{};

  TypeKind result{};  ///< the kind of the result's elements
  Dimensions dimensions{};
  size_t text = 0;   ///< that it is written in, among the program's, for errors
  size_t place = 0;  ///< in that text
};

/// What a formula gives.
struct Result {
  Input input{};
  Type type{};
};

/// Formulas as steps over columns, each step behind those it uses.
struct Program {
  std::vector<std::string> texts;  ///< the formulas, and those that define columns which they use
  std::vector<std::string> columns;
  std::vector<Type> column_types;
  std::vector<Constant> constants;
  std::vector<std::shared_ptr<const UserFunction>> functions;  ///< of users
  std::vector<std::string> strings;                            ///< what stands between quotation marks
  std::vector<Operation> operations;
  std::vector<Result> results;          ///< of the formulas, in the order in which they were added
  std::vector<Definition> definitions;  ///< that they use, each behind those it uses

  /// For each operation, the last one that uses its result: itself when none does, none (the number of
  /// operations) for the formulas' results.
  std::vector<size_t> last_uses() const;
};

/// Compiles formulas over one schema into one program; what they have in common is computed once.
class Compiler {
 public:
  /// Parses, types and adds a formula. Throws what the constructor of Expression does, and is of no use then.
  void add(std::string text, const Schema& schema);
  /// The same for a column as it is, whatever characters its name has.
  void add_column(const std::string& name, const Schema& schema);
  const Program& program() const { return program_; }

 private:
  friend class FormulaCompiler;

  Program program_;
  std::map<Constant, size_t> constant_places_;
  std::map<std::tuple<Operation::Kind, size_t, TypeKind, std::vector<Input>>, size_t> operation_places_;
  // What columns that are defined by formulas give; none while that is being found out.
  std::map<std::string, std::optional<Result>> defined_;
};

}  // namespace sapwood::expr
