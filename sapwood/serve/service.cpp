#include "sapwood/serve/service.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "sapwood/serve/call.h"
#include "sapwood/serve/inflate.h"
#include "sapwood/serve/status_error.h"

namespace sapwood::serve {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '%' && i + 2 < text.size();
    const int high = escaped ? hex_digit(text[i + 1]) : -1;
    const int low = escaped ? hex_digit(text[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// Whether `path` has the pattern's segments; `{}` takes one that is not empty, up to a ':' that follows it
/// in the pattern.
bool matches(std::string_view pattern, std::string_view path, std::array<std::string, 2>& captured) {
  std::array<std::string_view, 2> values;
  size_t found = 0;
  while (!pattern.empty()) {
    if (!pattern.starts_with("{}")) {
      if (path.empty() || path.front() != pattern.front()) return false;
      pattern.remove_prefix(1);
      path.remove_prefix(1);
      continue;
    }
    pattern.remove_prefix(2);
    const char end = pattern.empty() ? '/' : pattern.front();
    const std::string_view value = path.substr(0, path.find(end));
    if (value.empty() || value.find('/') != std::string_view::npos) return false;
    values[found++] = value;
    path.remove_prefix(value.size());
  }
  if (!path.empty()) return false;
  for (size_t i = 0; i < values.size(); ++i) captured[i] = percent_decoded(values[i]);
  return true;
}

void get_healthz(Call& call) { call.respond(HttpResponse{.content_type = "text/plain", .body = "ok\n"}); }

void get_metrics(Call& call) {
  call.respond(HttpResponse{.content_type = "text/plain; version=0.0.4", .body = call.metrics()});
}

std::vector<Route> all_routes() {
  std::vector<Route> routes{{Method::kGet, "/healthz", get_healthz}, {Method::kGet, "/metrics", get_metrics}};
  for (const auto& part : {tfaas_routes(), predict_routes(), open_inference_routes()}) {
    routes.insert(routes.end(), part.begin(), part.end());
  }
  return routes;
}

std::vector<std::string_view> labels_of(const std::vector<Route>& routes) {
  std::vector<std::string_view> labels{"none"};
  for (const Route& route : routes) labels.push_back(route.pattern);
  return labels;
}

const char* method_name(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET, HEAD";
    case Method::kPost:
      return "POST";
    case Method::kDelete:
      return "DELETE";
    case Method::kHead:
    case Method::kOther:
      break;
  }
  return "";
}

void decompress(HttpRequest& request, size_t limit) {
  std::string coding = std::exchange(request.content_encoding, {});
  std::ranges::transform(coding, coding.begin(), [](unsigned char c) { return std::tolower(c); });
  if (coding.empty() || coding == "identity") return;
  if (coding != "gzip" && coding != "x-gzip" && coding != "deflate") {
    throw StatusError(415, concat("Content-Encoding '", coding, "' is none of gzip, deflate, identity"));
  }
  request.body = inflate_body(request.body, limit);
}

}  // namespace

struct Service::State {
  State(Registry& registry, const ServiceOptions& options)
      : registry(registry),
        options(options),
        parsers(options.num_loops),
        metrics(options.num_loops, labels.size()) {}

  Registry& registry;
  const ServiceOptions options;
  const std::vector<Route> routes = all_routes();
  const std::vector<std::string_view> labels = labels_of(routes);
  std::vector<simdjson::dom::parser> parsers;
  HttpMetrics metrics;
  Worker worker;
};

Service::Service(Registry& registry, const ServiceOptions& options)
    : state_(std::make_unique<State>(registry, options)) {}

Service::~Service() = default;

bool Service::stop(std::chrono::milliseconds patience) { return state_->worker.stop(patience); }

void Service::observe(size_t loop, size_t route, int status, std::chrono::nanoseconds time) {
  state_->metrics.observe(loop, route, status, time);
}

void Service::handle(std::shared_ptr<Exchange> exchange) {
  HttpRequest& request = exchange->request();
  const Method method = request.method == Method::kHead ? Method::kGet : request.method;
  Call call{.registry = state_->registry,
            .options = state_->options,
            .worker = state_->worker,
            .parser = state_->parsers[exchange->loop()->index()],
            .exchange = exchange,
            .captured = {},
            .handle_again = [this](std::shared_ptr<Exchange> again) { handle(std::move(again)); },
            .metrics = [this] { return prometheus_text(state_->metrics, state_->labels, state_->registry); }};
  std::string_view path = request.path();
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  std::string allowed;
  for (size_t i = 0; i < state_->routes.size(); ++i) {
    const Route& route = state_->routes[i];
    if (!matches(route.pattern, path, call.captured)) continue;
    if (route.method != method) {
      allowed += concat(allowed.empty() ? "" : ", ", method_name(route.method));
      continue;
    }
    exchange->route = i + 1;
    try {
      decompress(request, state_->options.max_body_bytes);
      route.function(call);
    } catch (const std::exception& error) {
      exchange->respond(response_to(error));
    }
    // A parser keeps what its largest document took.
    constexpr size_t kKeptCapacity = 4u << 20;
    if (call.parser.capacity() > kKeptCapacity) call.parser = simdjson::dom::parser();
    return;
  }
  if (!allowed.empty()) {
    HttpResponse response = error_response(405, concat("not a method of ", path));
    response.fields = concat("Allow: ", allowed, "\r\n");
    return exchange->respond(std::move(response));
  }
  exchange->respond(error_response(404, concat("no such route: ", path)));
}

}  // namespace sapwood::serve
