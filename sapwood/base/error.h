#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

namespace sapwood {

/// A half-open range of entries, `start <= entry < stop`.
struct EntryRange {
  int64_t start = 0;
  int64_t stop = 0;
  int64_t size() const { return stop - start; }
  bool operator==(const EntryRange&) const = default;
};

/// Where in the data an error belongs. Empty members are unknown there; a caller further out fills them in.
struct ErrorContext {
  std::string file{};                   ///< path or URI
  std::string object{};                 ///< tree, n-tuple or key inside the file
  std::string column{};                 ///< branch or field
  std::optional<EntryRange> entries{};  ///< entries being read
};

/// The base of everything sapwood throws. `what()` is one line: the message, then the context that is known.
class Error : public std::exception {
 public:
  Error(std::string message, ErrorContext context);
  const char* what() const noexcept override { return text_.c_str(); }
  const std::string& message() const { return message_; }
  const ErrorContext& context() const { return context_; }
  /// Fills in members of the context that are still unknown; those already set stay.
  void add_context(const ErrorContext& outer);
  /// The name users see, such as "FormatError".
  virtual const char* kind() const noexcept = 0;

 private:
  void compose();
  std::string message_;
  ErrorContext context_;
  std::string text_;
};

#define SAPWOOD_DEFINE_ERROR(Name)                                \
  class Name : public Error {                                     \
   public:                                                        \
    explicit Name(std::string message, ErrorContext context = {}) \
        : Error(std::move(message), std::move(context)) {}        \
    const char* kind() const noexcept override { return #Name; }  \
  }

/// The operating system or a server refused, or the file ended too early to be read at all.
SAPWOOD_DEFINE_ERROR(IoError);
/// The bytes are wrong: corrupt, truncated, or not of the format they claim.
SAPWOOD_DEFINE_ERROR(FormatError);
/// The bytes may be right; sapwood does not read them (yet), or was built without what reads them.
SAPWOOD_DEFINE_ERROR(UnsupportedError);
/// No such column, tree or file of the data set, or a column of the wrong type.
SAPWOOD_DEFINE_ERROR(SchemaError);
/// An option is wrong or contradicts another.
SAPWOOD_DEFINE_ERROR(ConfigError);
/// A model does not load, wants other inputs than it is given, or gives other answers than it should.
SAPWOOD_DEFINE_ERROR(ModelError);
/// The caller asked to stop (Ctrl-C, a loader dropped half-way).
SAPWOOD_DEFINE_ERROR(CancelledError);

#undef SAPWOOD_DEFINE_ERROR

/// Joins the printed forms of its arguments into one string.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// Runs `action`; a sapwood error that leaves it gets `context` added where its own is unknown.
template <class Action>
decltype(auto) with_context(const ErrorContext& context, Action&& action) {
  try {
    return action();
  } catch (Error& error) {
    error.add_context(context);
    throw;
  }
}

}  // namespace sapwood
