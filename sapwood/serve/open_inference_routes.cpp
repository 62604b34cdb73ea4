#include <charconv>
#include <nlohmann/json.hpp>

#include "sapwood/serve/call.h"
#include "sapwood/serve/json_numbers.h"
#include "sapwood/serve/open_inference.h"
#include "sapwood/serve/status_error.h"

namespace sapwood::serve {
namespace {

using Json = nlohmann::ordered_json;

std::optional<int64_t> requested_version(const Call& call) {
  const std::string& text = call.captured[1];
  if (text.empty()) return std::nullopt;
  int64_t version = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || stop != text.data() + text.size()) {
    throw StatusError(404, concat("'", text, "' is no version; versions are numbers"));
  }
  return version;
}

std::shared_ptr<ServedModel> model_of(const Call& call) {
  return find_model(call, call.captured[0], requested_version(call));
}

void get_server(Call& call) {
  call.respond(
      Json{{"name", "sapwood"},
           {"version", SAPWOOD_VERSION},
           {"extensions", {"binary_tensor_data", "model_repository", "model_configuration", "statistics"}}}
          .dump());
}

void get_live(Call& call) { call.respond(std::string("{\"live\":true}")); }
void get_ready(Call& call) {
  const bool ready = call.registry.is_ready();
  call.respond(
      HttpResponse{.status = ready ? 200 : 503,
                   .body = ready ? "{\"ready\":true}"
                                 : "{\"ready\":false,\"error\":\"a model of the repository did not load: "
                                   "/v2/repository/index says why\"}"});
}

Json tensors_json(const std::vector<TensorSpec>& specs) {
  Json list = Json::array();
  for (const TensorSpec& spec : specs) {
    list.push_back({{"name", spec.name}, {"datatype", protocol_dtype(spec.dtype)}, {"shape", spec.shape}});
  }
  return list;
}

void get_model(Call& call) {
  const auto model = model_of(call);
  Json versions = Json::array();
  for (const auto& other : call.registry.served()) {
    if (other->name == model->name) versions.push_back(std::to_string(other->version));
  }
  call.respond(Json{{"name", model->name},
                    {"versions", versions},
                    {"platform", "onnxruntime_onnx"},
                    {"inputs", tensors_json(model->servable.model->inputs())},
                    {"outputs", tensors_json(model->servable.model->outputs())}}
                   .dump());
}

void get_model_ready(Call& call) {
  const auto model = model_of(call);
  call.respond(Json{{"name", model->name}, {"ready", true}}.dump());
}

/// Tensors as a model configuration has them: without the dimension of the batch where there is one.
Json config_tensors(const std::vector<TensorSpec>& specs, bool batchable) {
  Json list = Json::array();
  for (const TensorSpec& spec : specs) {
    const bool has_rows = batchable && !spec.shape.empty();
    const std::vector<int64_t> dims(spec.shape.begin() + (has_rows ? 1 : 0), spec.shape.end());
    list.push_back(
        {{"name", spec.name}, {"data_type", concat("TYPE_", protocol_dtype(spec.dtype))}, {"dims", dims}});
  }
  return list;
}

void get_config(Call& call) {
  const auto model = model_of(call);
  const Model& loaded = *model->servable.model;
  const bool batchable = is_batchable(loaded) && model->scheduler.options().joins_requests;
  const int64_t max_batch = batchable ? model->scheduler.options().max_batch_rows : 0;
  call.respond(Json{{"name", model->name},
                    {"platform", "onnxruntime_onnx"},
                    {"backend", "onnxruntime"},
                    {"max_batch_size", max_batch},
                    {"input", config_tensors(loaded.inputs(), batchable)},
                    {"output", config_tensors(loaded.outputs(), batchable)},
                    {"dynamic_batching", Json::object()}}
                   .dump());
}

Json duration(uint64_t count, double seconds) {
  return {{"count", count}, {"ns", static_cast<uint64_t>(seconds * 1e9)}};
}

Json stats_json(const ServedModel& model) {
  const SchedulerCounters counters = model.scheduler.counters();
  const double total = counters.queue_seconds.sum + counters.request_run_seconds;
  const Json none = duration(counters.requests, 0);
  return {{"name", model.name},
          {"version", std::to_string(model.version)},
          {"last_inference", counters.last_run_ms},
          {"inference_count", counters.rows},
          {"execution_count", counters.batches},
          {"inference_stats",
           {{"success", duration(counters.requests, total)},
            {"fail", duration(counters.failures, 0)},
            {"queue", duration(counters.requests, counters.queue_seconds.sum)},
            {"compute_input", none},
            {"compute_infer", duration(counters.requests, counters.request_run_seconds)},
            {"compute_output", none},
            {"cache_hit", duration(0, 0)},
            {"cache_miss", duration(0, 0)}}},
          {"batch_stats", Json::array()}};
}

void get_stats(Call& call) {
  Json list = Json::array();
  if (call.captured[0].empty()) {
    for (const auto& model : call.registry.served()) list.push_back(stats_json(*model));
  } else {
    list.push_back(stats_json(*model_of(call)));
  }
  call.respond(Json{{"model_stats", list}}.dump());
}

/// The request's JSON, and the tensors behind it.
std::pair<std::string_view, std::string_view> split_body(const HttpRequest& request) {
  const std::string_view body = request.body;
  const std::string& length = request.inference_header_length;
  if (length.empty()) return {body, {}};
  size_t size = 0;
  const auto [stop, error] = std::from_chars(length.data(), length.data() + length.size(), size);
  if (error != std::errc() || stop != length.data() + length.size() || size > body.size()) {
    throw StatusError(400, concat("Inference-Header-Content-Length '", length, "' is no part of the body's ",
                                  body.size(), " bytes"));
  }
  return {body.substr(0, size), body.substr(size)};
}

void post_infer(Call& call) {
  const auto model = model_of(call);
  const auto [json, binary] = split_body(call.request());
  InferRequest request = parse_infer(call.parser, json, binary, *model->servable.model);
  std::vector<Tensor> inputs = std::move(request.inputs);
  run_model(call, model, std::move(inputs),
            [request = std::move(request)](const ServedModel& served, const OutputRows& rows) {
              InferResponse answer =
                  format_infer(request, *served.servable.model, rows, served.name, served.version);
              HttpResponse response{.body = std::move(answer.body)};
              if (answer.json_size) {
                response.content_type = "application/octet-stream";
                response.fields = concat("Inference-Header-Content-Length: ", *answer.json_size, "\r\n");
              }
              return response;
            });
}

/// The request's JSON object, which may be missing altogether.
std::optional<simdjson::dom::object> optional_object(Call& call) {
  if (call.request().body.empty()) return std::nullopt;
  simdjson::dom::object object;
  if (parse_json(call.parser, call.request().body).get(object) != simdjson::SUCCESS) {
    throw StatusError(400, "the request is not a JSON object");
  }
  return object;
}

void post_index(Call& call) {
  bool only_ready = false;
  if (const auto object = optional_object(call)) {
    const auto ready = object->at_key("ready");
    if (ready.error() == simdjson::SUCCESS && ready.get(only_ready) != simdjson::SUCCESS) {
      throw StatusError(400, "'ready' is true or false");
    }
  }
  Json list = Json::array();
  for (const Registry::Entry& entry : call.registry.index()) {
    if (only_ready && !entry.ready) continue;
    list.push_back({{"name", entry.name},
                    {"version", std::to_string(entry.version)},
                    {"state", entry.ready ? "READY" : "UNAVAILABLE"},
                    {"reason", entry.ready || !entry.reason.empty() ? entry.reason : "not loaded"}});
  }
  call.respond(list.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void post_load(Call& call) {
  require_control(call);
  if (const auto object = optional_object(call)) {
    simdjson::dom::object parameters;
    if (object->at_key("parameters").get(parameters) == simdjson::SUCCESS) {
      for (const auto [key, value] : parameters) {
        throw StatusError(400, concat("load takes no parameters, but got '", key,
                                      "'; a model's configuration and files are those of its bundle"));
      }
    }
  }
  run_in_background(call, [&registry = call.registry, name = call.captured[0]] {
    registry.load(name);
    return HttpResponse{.body = "{}"};
  });
}

void post_unload(Call& call) {
  require_control(call);
  run_in_background(call, [&registry = call.registry, name = call.captured[0]] {
    registry.unload(name);
    return HttpResponse{.body = "{}"};
  });
}

}  // namespace

std::span<const Route> open_inference_routes() {
  static constexpr std::array kRoutes{
      Route{Method::kPost, "/v2/models/{}/infer", post_infer},
      Route{Method::kPost, "/v2/models/{}/versions/{}/infer", post_infer},
      Route{Method::kGet, "/v2", get_server},
      Route{Method::kGet, "/v2/health/live", get_live},
      Route{Method::kGet, "/v2/health/ready", get_ready},
      Route{Method::kGet, "/v2/models/stats", get_stats},
      Route{Method::kGet, "/v2/models/{}", get_model},
      Route{Method::kGet, "/v2/models/{}/versions/{}", get_model},
      Route{Method::kGet, "/v2/models/{}/ready", get_model_ready},
      Route{Method::kGet, "/v2/models/{}/versions/{}/ready", get_model_ready},
      Route{Method::kGet, "/v2/models/{}/config", get_config},
      Route{Method::kGet, "/v2/models/{}/versions/{}/config", get_config},
      Route{Method::kGet, "/v2/models/{}/stats", get_stats},
      Route{Method::kGet, "/v2/models/{}/versions/{}/stats", get_stats},
      Route{Method::kPost, "/v2/repository/index", post_index},
      Route{Method::kPost, "/v2/repository/models/{}/load", post_load},
      Route{Method::kPost, "/v2/repository/models/{}/unload", post_unload},
  };
  return kRoutes;
}

}  // namespace sapwood::serve
