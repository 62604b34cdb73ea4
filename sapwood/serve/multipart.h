#pragma once

#include <string_view>
#include <vector>

namespace sapwood::serve {

/// One part of a body of type multipart/form-data; a view of the body.
struct FormPart {
  std::string_view name;
  std::string_view file_name;          ///< empty for plain fields
  std::string_view transfer_encoding;  ///< such as "base64"; mostly empty
  std::string_view content;
};

/// The parts of `body`. Throws StatusError 400 when `content_type` names no boundary or the body does not
/// have this form; at most 64 parts.
std::vector<FormPart> parse_form(std::string_view content_type, std::string_view body);

}  // namespace sapwood::serve
