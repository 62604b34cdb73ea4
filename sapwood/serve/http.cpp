#include "sapwood/serve/http.h"

#include "sapwood/base/error.h"
#include "sapwood/serve/json_text.h"

namespace sapwood::serve {

HttpResponse error_response(int status, std::string_view message) {
  // Messages quote what clients send.
  constexpr size_t kLongest = 2000;
  if (message.size() > kLongest)
    return error_response(status, concat(message.substr(0, kLongest - 3), "..."));
  HttpResponse response{.status = status, .body = "{\"error\":"};
  append_json_string(response.body, message);
  response.body += "}";
  if (status == 503) response.fields = "Retry-After: 1\r\n";
  if (status == 401) response.fields = "WWW-Authenticate: Bearer\r\n";
  return response;
}

}  // namespace sapwood::serve
