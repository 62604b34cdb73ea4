#include "sapwood/serve/multipart.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "sapwood/serve/status_error.h"

namespace sapwood::serve {
namespace {

[[noreturn]] void refuse(const std::string& message) { throw StatusError(400, "not a form: " + message); }

/// The value of `key=value` or `key="value"` after a ';'; empty when there is none.
std::string_view parameter(std::string_view field, std::string_view key) {
  for (size_t at = field.find(';'); at != std::string_view::npos; at = field.find(';', at)) {
    at = field.find_first_not_of(" \t", at + 1);
    if (at == std::string_view::npos) break;
    if (!field.substr(at).starts_with(key) || field.substr(at + key.size()).substr(0, 1) != "=") continue;
    std::string_view value = field.substr(at + key.size() + 1);
    if (value.starts_with('"')) {
      value.remove_prefix(1);
      return value.substr(0, value.find('"'));
    }
    return value.substr(0, value.find_first_of("; \t"));
  }
  return {};
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return std::ranges::equal(a, b, {}, lower, lower);
}

FormPart parse_part(std::string_view part) {
  const size_t end = part.find("\r\n\r\n");
  if (end == std::string_view::npos) refuse("a part has no end of its header");
  FormPart result;
  result.content = part.substr(end + 4);
  std::string_view header = part.substr(0, end);
  while (!header.empty()) {
    const std::string_view line = header.substr(0, header.find("\r\n"));
    header.remove_prefix(std::min(header.size(), line.size() + 2));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.size(), value.find_first_not_of(' ')));
    if (same_name(line.substr(0, colon), "Content-Disposition")) {
      result.name = parameter(value, "name");
      result.file_name = parameter(value, "filename");
    } else if (same_name(line.substr(0, colon), "Content-Transfer-Encoding")) {
      result.transfer_encoding = value;
    }
  }
  if (result.name.empty()) refuse("a part has no name");
  return result;
}

}  // namespace

std::vector<FormPart> parse_form(std::string_view content_type, std::string_view body) {
  constexpr size_t kMostParts = 64;
  const std::string_view boundary = parameter(content_type, "boundary");
  if (boundary.empty()) refuse("the content type names no boundary");
  const std::string delimiter = concat("\r\n--", boundary);
  // The first delimiter has no line break in front.
  const std::string_view first = std::string_view(delimiter).substr(2);
  size_t at = 0;
  if (!body.starts_with(first)) {
    at = body.find(delimiter);
    if (at == std::string_view::npos) refuse("the boundary does not occur");
    at += 2;
  }
  at += first.size();
  std::vector<FormPart> parts;
  while (body.substr(at).starts_with("\r\n")) {
    const size_t end = body.find(delimiter, at + 2);
    if (end == std::string_view::npos) refuse("the last boundary is missing");
    if (parts.size() == kMostParts) refuse("too many parts");
    parts.push_back(parse_part(body.substr(at + 2, end - at - 2)));
    at = end + delimiter.size();
  }
  if (!body.substr(at).starts_with("--")) refuse("the last boundary is missing");
  return parts;
}

}  // namespace sapwood::serve
