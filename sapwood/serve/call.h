#pragma once

#include <simdjson.h>

#include <array>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sapwood/serve/http.h"
#include "sapwood/serve/metrics.h"
#include "sapwood/serve/registry.h"
#include "sapwood/serve/service.h"
#include "sapwood/serve/worker.h"

/// What the functions behind the routes share.
namespace sapwood::serve {

/// One request on its way through a route. Copies share the exchange.
struct Call {
  Registry& registry;
  const ServiceOptions& options;
  Worker& worker;
  simdjson::dom::parser& parser;  ///< of the loop; what it parsed is gone when the function returns
  std::shared_ptr<Exchange> exchange;
  std::array<std::string, 2> captured{};  ///< what stood for `{}` in the pattern
  std::function<void(std::shared_ptr<Exchange>)> handle_again;
  std::function<std::string()> metrics;

  HttpRequest& request() const { return exchange->request(); }
  void respond(HttpResponse response) const { exchange->respond(std::move(response)); }
  void respond(std::string json) const { exchange->respond({.body = std::move(json)}); }
};

/// `pattern` consists of literal segments and `{}`; one function may have several patterns.
struct Route {
  Method method;
  std::string_view pattern;
  void (*function)(Call& call);
};

std::span<const Route> open_inference_routes();
std::span<const Route> tfaas_routes();
std::span<const Route> predict_routes();

/// The model that clients ask for; without a name the only one there is. Throws StatusError 404, 400.
std::shared_ptr<ServedModel> find_model(const Call& call, std::string_view name,
                                        std::optional<int64_t> version = {});

/// Checks and queues `inputs`, and responds with `format`'s result, or what went wrong. Where the model has
/// been replaced meanwhile the call starts again, with the new one.
using Format = std::function<HttpResponse(const ServedModel& model, const OutputRows& rows)>;
void run_model(Call& call, const std::shared_ptr<ServedModel>& model, std::vector<Tensor> inputs,
               Format format);

/// Throws StatusError 413 for more rows than a request may have, or than make more tensors than it may.
void check_rows(const Call& call, int64_t rows, size_t row_bytes);

/// Responds with what `task` returns, which runs on the worker's thread and must not look at the request's
/// parsed JSON.
void run_in_background(const Call& call, std::function<HttpResponse()> task);

/// Throws StatusError 401 or 403 unless the request may change the repository.
void require_token(const Call& call);
/// The same for loading and unloading.
void require_control(const Call& call);

/// The answer to what a route has thrown.
HttpResponse response_to(const std::exception& error);

}  // namespace sapwood::serve
