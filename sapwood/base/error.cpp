#include "sapwood/base/error.h"

namespace sapwood {

Error::Error(std::string message, ErrorContext context)
    : message_(std::move(message)), context_(std::move(context)) {
  compose();
}

void Error::add_context(const ErrorContext& outer) {
  if (context_.file.empty()) context_.file = outer.file;
  if (context_.object.empty()) context_.object = outer.object;
  if (context_.column.empty()) context_.column = outer.column;
  if (!context_.entries) context_.entries = outer.entries;
  compose();
}

void Error::compose() {
  text_ = message_;
  const char* separator = " [";
  const auto add = [&](const char* label, const std::string& value) {
    text_ += concat(separator, label, ' ', value);
    separator = ", ";
  };
  if (!context_.file.empty()) add("file", context_.file);
  if (!context_.object.empty()) add("object", context_.object);
  if (!context_.column.empty()) add("column", context_.column);
  if (context_.entries) add("entries", concat(context_.entries->start, "..", context_.entries->stop));
  if (separator[0] == ',') text_ += ']';
}

}  // namespace sapwood
