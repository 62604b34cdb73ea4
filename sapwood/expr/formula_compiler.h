#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sapwood/column/schema.h"
#include "sapwood/expr/parser.h"
#include "sapwood/expr/program.h"

namespace sapwood::expr {

/// A part of a formula with its type.
struct Typed {
  Input input{};
  TypeKind element{};
  Dimensions dimensions{};
  bool is_constant() const { return input.is_constant; }
  Type type() const;
};

/// Adds the steps of one formula to a program. Its members are in compile.cpp, those for lists in
/// compile_lists.cpp, those for strings in compile_strings.cpp, and those for functions of users in
/// compile_user_function.cpp.
class FormulaCompiler {
 public:
  /// The formula stands inside of `depth` definitions of columns.
  FormulaCompiler(Compiler& compiler, std::string text, std::vector<Node> nodes, const Schema& schema,
                  size_t depth = 0);
  Result compile();

 private:
  /// A formula that `call` stands for; errors point at the call.
  FormulaCompiler(const FormulaCompiler& caller, const Node& call, std::vector<Node> nodes,
                  std::map<std::string_view, Typed> parameters);

  const std::string& text() const { return program_.texts[text_]; }
  [[noreturn]] void fail(const Node& node, std::string_view message) const;
  /// What the user wrote for it.
  std::string source(const Node& node) const;
  /// The function that the user called, which that of `node` may be a part of.
  std::string_view called(const Node& node) const { return called_.empty() ? node.name : called_; }

  const Typed& compile_parts();
  Typed part(const Node& node);
  Typed constant(const Constant& value);
  Typed name(const Node& node);
  Result defined(const Node& node, const std::string& definition);
  [[noreturn]] void fail_unknown(const Node& node) const;
  Typed call(const Node& node);
  size_t function_of(const Node& node) const;
  Typed composed(const Node& node, const Composition& body, const std::vector<Typed>& arguments);
  std::string_view chosen_formula(const Node& node, const Composition& body,
                                  const std::vector<Typed>& arguments) const;

  Typed elementwise(const Node& node, size_t function, const Elementwise& body, std::vector<Typed> operands);
  TypeKind operand_kind(const Node& node, const Elementwise& body, const std::vector<Typed>& operands) const;
  std::optional<int64_t> known_integer(const Typed& operand) const;
  bool is_zero(const Typed& operand) const;  // a constant
  Typed fold(const Overload<ElementwiseKernel>& overload, const std::vector<Typed>& operands);
  Dimensions common_dimensions(const Node& node, const std::vector<Typed>& operands) const;

  Typed list_function(const Node& node, size_t function, const ListFunction& body, Typed lists);
  Typed indices(const Node& node, size_t function, const IndexFunction& body, std::vector<Typed> arguments);
  Typed index_argument(const Node& node, IndexFunction::Argument kind, const Typed& argument, size_t depth);
  void require_accepted(const Node& node, const IndexFunction& body,
                        const std::vector<Typed>& arguments) const;
  int64_t size_of_indices(const Node& node, const IndexFunction& body,
                          const std::vector<Typed>& arguments) const;
  /// A size that lists may be given.
  int64_t countable(const Node& node, int64_t size) const;
  Typed items(const Node& node, size_t function, const Item& body, std::vector<Typed> arguments);
  Typed selected(const Node& node, size_t function, const Typed& lists, const Typed& conditions);
  void require_index(const Node& node, const Typed& lists, const Typed& index) const;
  void require_item(const Node& node, const Typed& lists, const Typed& index) const;
  Typed flattened(const Node& node, const Flattening& body, Typed lists);
  Typed concatenation(const Node& node, size_t function, std::vector<Typed> parts);

  Typed user_function(const Node& node, const std::shared_ptr<const UserFunction>& function,
                      std::vector<Typed> arguments);
  Type result_type(const Node& node, const UserFunction& function, const std::vector<Type>& arguments) const;
  Typed string(const Node& node);
  Typed compared_strings(const Node& node, size_t function, std::vector<Typed> operands);
  void require_comparable(const Node& node, size_t function, const std::vector<Typed>& operands) const;

  Typed convert(Typed part, TypeKind kind);
  Typed broadcast(const Node& node, const Typed& part, const Typed& like);
  Typed add(Operation operation);

  Compiler& compiler_;
  Program& program_;
  const Schema& schema_;
  size_t depth_;  // definitions around this formula
  size_t text_;   // that errors show, among the program's
  std::vector<Node> nodes_;
  std::vector<Typed> parts_;
  std::optional<Type> column_type_;  // when the formula is that column alone
  std::map<std::string_view, Typed> parameters_;
  std::string called_;
};

}  // namespace sapwood::expr
