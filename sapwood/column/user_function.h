#pragma once

#include <memory>
#include <span>
#include <string>

#include "sapwood/column/column.h"

namespace sapwood {

/// A function that formulas call by its name, besides those that they have of their own. Its result for a row
/// depends on the arguments of that row alone: which rows come in one call is left open, and equal calls may
/// be made once. As everywhere in formulas, values are bool, int64 (all integers), float32 or float64. Safe
/// from many threads.
class UserFunction {
 public:
  virtual ~UserFunction() = default;

  /// Letters, digits and _.
  virtual const std::string& name() const = 0;
  /// Whether it goes value by value: then lists are combined as by `+`, the arguments of a call are their
  /// innermost values, all of one length, and the result takes their lists. Else each argument has one
  /// value, or one list, for each entry.
  virtual bool is_elementwise() const = 0;
  /// Of the result for arguments of such types, of values or of entries: bool, int64, float32 or float64, and
  /// unless it is elementwise lists of such. Throws ConfigError: it does not take these; the caller adds the
  /// place in the formula.
  virtual Type result_type(std::span<const Type> arguments) const = 0;
  /// The result, of that type, for `length` values or entries. An exception ends the work that asked for it.
  virtual Column call(std::span<const Column> arguments, int64_t length,
                      const std::shared_ptr<MemoryPool>& pool) const = 0;
};

}  // namespace sapwood
