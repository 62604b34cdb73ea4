#include "sapwood/serve/http.h"

#include "sapwood/serve/json_text.h"

namespace sapwood::serve {

HttpResponse error_response(int status, std::string_view message) {
  HttpResponse response{.status = status, .body = "{\"error\":"};
  append_json_string(response.body, message);
  response.body += "}";
  if (status == 503) response.fields = "Retry-After: 1\r\n";
  if (status == 401) response.fields = "WWW-Authenticate: Bearer\r\n";
  return response;
}

}  // namespace sapwood::serve
