#include "sapwood/serve/call.h"

#include <utility>

#include "sapwood/base/error.h"
#include "sapwood/base/names.h"
#include "sapwood/serve/status_error.h"

namespace sapwood::serve {
namespace {

bool same_in_constant_time(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i] ^ (b.empty() ? 0 : b[i % b.size()]));
  }
  return difference == 0;
}

void check_token(const Call& call) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view sent = call.request().authorization;
  if (!sent.starts_with(kScheme) || !same_in_constant_time(sent.substr(kScheme.size()), call.options.token)) {
    throw StatusError(401, "this needs the server's token (Authorization: Bearer TOKEN)");
  }
}

bool is_loopback_name(std::string_view host) {
  if (host.starts_with('[')) return host.starts_with("[::1]");
  const std::string_view name = host.substr(0, host.find(':'));
  return name.empty() || name == "localhost" || name.starts_with("127.");
}

int status_of(const Failure& failure) {
  constexpr int kClientClosedRequest = 499;
  switch (failure.kind) {
    case Failure::Kind::kModel:
      return 500;
    case Failure::Kind::kCancelled:
      return kClientClosedRequest;
    case Failure::Kind::kStopped:
      return 503;
  }
  return 500;
}

void check_answer(const OutputRows& rows, uint64_t limit) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < rows.outputs->size(); ++i) bytes += rows.bytes(i).size();
  if (bytes > limit) {
    throw StatusError(413, concat("the answer has ", bytes, " bytes of tensors; at most ", limit,
                                  " are given: ask for fewer rows at a time"));
  }
}

void answer(Exchange& exchange, const ServedModel& model, const Format& format, uint64_t limit,
            const Outcome& outcome) {
  HttpResponse response;
  try {
    const auto* rows = std::get_if<OutputRows>(&outcome);
    if (rows != nullptr) {
      check_answer(*rows, limit);
      response = format(model, *rows);
    } else {
      const auto& failure = std::get<Failure>(outcome);
      response = error_response(status_of(failure), failure.message);
    }
  } catch (const std::exception& error) {
    response = response_to(error);
  }
  exchange.respond(std::move(response));
}

}  // namespace

std::shared_ptr<ServedModel> find_model(const Call& call, std::string_view name,
                                        std::optional<int64_t> version) {
  if (name.empty()) {
    if (auto model = call.registry.only()) return model;
    throw StatusError(400, "name a model: the server has not exactly one");
  }
  if (auto model = call.registry.find(name, version)) return model;
  if (version && call.registry.find(name)) {
    throw StatusError(404, concat("version ", *version, " of model '", name, "' is not served"));
  }
  std::vector<std::string> names;
  for (const auto& model : call.registry.served()) names.push_back(model->name);
  throw StatusError(404, concat("no model '", name, "' is served", nearest_names_hint(name, names)));
}

void run_model(Call& call, const std::shared_ptr<ServedModel>& model, std::vector<Tensor> inputs,
               Format format) {
  Request request;
  request.rows = count_rows(*model->servable.model, inputs);
  check_rows(call, request.rows, 0);
  request.inputs = std::move(inputs);
  request.deliveries = call.exchange->loop();
  request.cancelled = call.exchange->cancelled();
  request.completion = [exchange = call.exchange, model, format = std::move(format),
                        limit = call.options.max_tensor_bytes](const Outcome& outcome) {
    answer(*exchange, *model, format, limit, outcome);
  };
  switch (model->scheduler.submit(request)) {
    case Admission::kAccepted:
      call.request().body = {};  // It is not needed any more, and the answer may take a while.
      return;
    case Admission::kQueueFull:
      throw StatusError(503, concat("the queue of model '", model->name, "' is full; try again"));
    case Admission::kStopped:
      return call.handle_again(call.exchange);
  }
}

void check_rows(const Call& call, int64_t rows, size_t row_bytes) {
  if (rows > call.options.max_rows) {
    throw StatusError(413,
                      concat(rows, " rows in one request; at most ", call.options.max_rows, " are taken"));
  }
  const uint64_t bytes = static_cast<uint64_t>(rows) * row_bytes;  // both are small
  if (bytes > call.options.max_tensor_bytes) {
    throw StatusError(413, concat(rows, " rows make ", bytes, " bytes of tensors; at most ",
                                  call.options.max_tensor_bytes, " are taken in one request"));
  }
}

void run_in_background(const Call& call, std::function<HttpResponse()> task) {
  call.worker.run([exchange = call.exchange, task = std::move(task)] {
    HttpResponse response;
    try {
      response = task();
    } catch (const std::exception& error) {
      response = response_to(error);
    }
    exchange->loop()->run_soon([exchange, response] { exchange->respond(response); });
  });
}

void require_token(const Call& call) {
  if (call.options.token.empty()) {
    throw StatusError(
        403, "the server was started without a token (--upload-token-file), so nothing may be changed");
  }
  check_token(call);
}

void require_control(const Call& call) {
  if (!call.options.token.empty()) return check_token(call);
  // A browser on this machine must not do it for a page from elsewhere.
  if (!call.request().origin.empty() || !is_loopback_name(call.request().host)) {
    throw StatusError(403, "without a token only programs on this machine may load and unload");
  }
  if (!call.options.open_control) {
    throw StatusError(
        403, "a server that others can reach loads and unloads only with a token (--upload-token-file)");
  }
}

HttpResponse response_to(const std::exception& error) {
  if (const auto* status = dynamic_cast<const StatusError*>(&error)) {
    return error_response(status->status(), status->what());
  }
  if (dynamic_cast<const UnsupportedError*>(&error) != nullptr) return error_response(501, error.what());
  const bool of_client = dynamic_cast<const SchemaError*>(&error) != nullptr ||
                         dynamic_cast<const ConfigError*>(&error) != nullptr ||
                         dynamic_cast<const FormatError*>(&error) != nullptr ||
                         dynamic_cast<const ModelError*>(&error) != nullptr;
  return error_response(of_client ? 400 : 500, error.what());
}

}  // namespace sapwood::serve
