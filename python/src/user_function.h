#pragma once

#include <unistd.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "bindings.h"
#include "sapwood/column/user_function.h"

class PythonFunction;

/// Lets threads that are not Python's call it, until the interpreter ends: from then on a thread that asked
/// for the GIL would not come back. Safe from many threads.
class PythonCalls {
 public:
  /// As long as it lives the interpreter does too. Throws CancelledError once that ends.
  class Guard {
   public:
    explicit Guard(PythonCalls& calls);
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() { leave(); }

   private:
    void leave();
    PythonCalls& calls_;
  };

  /// Refuses further calls, waits for those that run, and lets go of what functions call: those of a script
  /// hold all that the script holds. Without the GIL.
  void close();

  // What functions call is kept here; the GIL guards it.
  void add(const PythonFunction* function, nb::object callable);
  void remove(const PythonFunction* function);
  /// Throws CancelledError where it was let go of.
  nb::object of(const PythonFunction* function) const;

 private:
  std::map<const PythonFunction*, nb::object> callables_;
  std::atomic<bool> closed_ = false;
  std::atomic<int> running_ = 0;
  pid_t process_ = ::getpid();  // those that ran when it was forked do not in the child
};

/// A function that is called in Python: with a list of columns, of which it makes one. The GIL is held around
/// the call alone, and results are copied, so that no buffer of Python's goes any further.
class PythonFunction : public sapwood::UserFunction {
 public:
  /// With the GIL. Throws ConfigError: `returns` is no type.
  PythonFunction(std::string name, nb::object function, const std::string& returns, bool is_elementwise,
                 std::shared_ptr<PythonCalls> calls);
  PythonFunction(const PythonFunction&) = delete;
  PythonFunction& operator=(const PythonFunction&) = delete;
  ~PythonFunction() override;

  const std::string& name() const override { return name_; }
  bool is_elementwise() const override { return is_elementwise_; }
  sapwood::Type result_type(std::span<const sapwood::Type> arguments) const override;
  sapwood::Column call(std::span<const sapwood::Column> arguments, int64_t length,
                       const std::shared_ptr<sapwood::MemoryPool>& pool) const override;

  /// With the GIL.
  nb::object function() const { return calls_->of(this); }

 private:
  std::string name_;
  sapwood::Type type_;
  bool is_elementwise_;
  std::shared_ptr<PythonCalls> calls_;
};

/// The interpreter's; it is closed when that ends.
std::shared_ptr<PythonCalls> python_calls();
