#include <cstddef>
#include <cstdint>
#include <string>

#include "sapwood/base/error.h"
#include "sapwood/serve/http_parser.h"
#include "sapwood/serve/inflate.h"
#include "sapwood/serve/multipart.h"
#include "sapwood/serve/open_inference.h"
#include "sapwood/serve/test_model.h"
#include "sapwood/serve/tfaas.h"

namespace {

using namespace sapwood::serve;

template <class Action>
void attempt(const Action& action) {
  try {
    action();
  } catch (const sapwood::Error&) {
    // What wrong requests are meant to give.
  }
}

void parse_body(const HttpRequest& request) {
  static const Servable servable{.name = "m", .model = std::make_shared<SumModel>()};
  simdjson::dom::parser parser;
  const std::string_view body = request.body;
  const size_t split = body.size() - std::min<size_t>(body.size(), request.inference_header_length.size());
  attempt([&] { parse_infer(parser, body.substr(0, split), body.substr(split), *servable.model); });
  attempt([&] { tensors_of_row(servable, parse_tfaas_json(parser, body)); });
  attempt([&] { tensors_of_row(servable, parse_tfaas_proto(body)); });
  attempt([&] { parse_form(request.content_type, body); });
  attempt([&] { inflate_body(body, 1u << 20); });
}

}  // namespace

/// Input: a stream of HTTP requests.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  HttpParser parser({.header_bytes = 4096, .body_bytes = 1u << 16});
  std::string_view rest(static_cast<const char*>(static_cast<const void*>(data)), size);
  while (!rest.empty()) {
    size_t used = 0;
    if (parser.feed(rest, used) != HttpParser::Status::kDone) break;
    rest.remove_prefix(used);
    parse_body(parser.request());
    parser.reset();
  }
  return 0;
}
