#include <algorithm>
#include <nlohmann/json.hpp>

#include "sapwood/bundle/bundle.h"
#include "sapwood/serve/call.h"
#include "sapwood/serve/json_text.h"
#include "sapwood/serve/multipart.h"
#include "sapwood/serve/status_error.h"
#include "sapwood/serve/tfaas.h"

namespace sapwood::serve {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

void post_json(Call& call) {
  const TfaasRow row = parse_tfaas_json(call.parser, call.request().body);
  const auto model = find_model(call, row.model);
  run_model(call, model, tensors_of_row(model->servable, row),
            [](const ServedModel&, const OutputRows& rows) {
              const std::vector<float> values = predictions(rows);
              std::string out = "[";
              append_json_numbers(out, DType::kFloat32, std::as_bytes(std::span(values)));
              return HttpResponse{.body = out + "]"};
            });
}

void post_proto(Call& call) {
  const TfaasRow row = parse_tfaas_proto(call.request().body);
  const auto model = find_model(call, row.model);
  run_model(call, model, tensors_of_row(model->servable, row),
            [](const ServedModel& served, const OutputRows& rows) {
              return HttpResponse{.content_type = "application/octet-stream",
                                  .body = format_tfaas_proto(predictions(rows), served.servable.labels)};
            });
}

void post_image(Call&) {
  throw StatusError(501, "images are not supported yet: send the tensor to /v2/models/{model}/infer");
}

void get_netron(Call&) {
  throw StatusError(501, "netron is not built in: open the bundle's model.onnx with it");
}

/// A model's parameters in TFaaS's words, both spellings that its clients use.
Json params_json(const ServedModel& model) {
  const Servable& servable = model.servable;
  const auto name_of = [](const std::vector<TensorSpec>& specs) {
    return specs.empty() ? "" : specs[0].name;
  };
  const std::string input = name_of(servable.model->inputs());
  const std::string output = name_of(servable.model->outputs());
  return {{"name", model.name},
          {"model", "model.onnx"},
          {"labels", servable.labels},
          {"options", Json::array()},
          {"inputNode", input},
          {"outputNode", output},
          {"input_name", input},
          {"output_name", output},
          {"description", servable.description},
          {"timestamp", servable.created},
          {"version", model.version},
          {"framework", servable.framework}};
}

void get_models(Call& call) {
  Json list = Json::array();
  for (const auto& model : call.registry.served()) list.push_back(params_json(*model));
  call.respond(dump(list));
}

void get_params(Call& call) { call.respond(dump(params_json(*find_model(call, call.captured[0])))); }

void get_status(Call& call) {
  Json models = Json::array();
  uint64_t requests = 0;
  for (const auto& model : call.registry.served()) {
    models.push_back(model->name);
    requests += model->scheduler.counters().requests;
  }
  call.respond(dump({{"status", "ok"},
                     {"version", SAPWOOD_VERSION},
                     {"models", models},
                     {"predictions", requests},
                     {"resident_bytes", resident_bytes()}}));
}

std::string base64_decoded(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '\r' || c == '\n' || c == '=') continue;
    const size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) throw StatusError(400, "a part is not base64");
    bits = (bits << 6 | static_cast<unsigned>(digit)) & 0xffffff;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xff);
  }
  return out;
}

bool is_archive(std::string_view bytes) {
  constexpr size_t kTarMagic = 257;
  return bytes.starts_with("\x1f\x8b") ||
         (bytes.size() > kTarMagic && bytes.substr(kTarMagic).starts_with("ustar"));
}

struct Upload {
  std::string name;  ///< empty: the bundle's own
  std::string bundle;
};

Upload read_form(const HttpRequest& request) {
  Upload upload;
  for (const FormPart& part : parse_form(request.content_type, request.body)) {
    const bool is_base64 = part.transfer_encoding == "base64";
    std::string content = is_base64 ? base64_decoded(part.content) : std::string(part.content);
    if (part.name == "name") {
      upload.name = std::move(content);
    } else if (part.name == "model" || part.name == "bundle") {
      upload.bundle = std::move(content);
    }
  }
  if (upload.bundle.empty()) throw StatusError(400, "the form has no part 'model'");
  return upload;
}

void post_upload(Call& call) {
  require_token(call);
  HttpRequest& request = call.request();
  auto upload = std::make_shared<Upload>();
  if (request.content_type.starts_with("multipart/form-data")) {
    *upload = read_form(request);
  } else {
    upload->bundle = std::move(request.body);
  }
  if (!is_archive(upload->bundle)) {
    throw StatusError(
        415,
        "upload a bundle (.tar or .tar.gz, as `sapwood bundle` writes it); a bare model file has "
        "no signature and no features");
  }
  run_in_background(call, [&registry = call.registry, upload] {
    const auto bytes = std::as_bytes(std::span(upload->bundle));
    if (upload->name.empty()) upload->name = Bundle::from_bytes(bytes, "upload").name();
    const int64_t version = registry.upload(upload->name, bytes);
    return HttpResponse{.body = dump({{"name", upload->name}, {"version", version}})};
  });
}

void delete_model(Call& call) {
  require_token(call);
  std::string name = call.captured[0];
  if (name.empty()) {
    const std::string& body = call.request().body;
    if (call.request().content_type.starts_with("multipart/form-data")) {
      for (const FormPart& part : parse_form(call.request().content_type, body)) {
        if (part.name == "model") name = part.content;
      }
    } else if (body.starts_with("model=")) {
      name = body.substr(6);
    }
  }
  if (name.empty()) throw StatusError(400, "name the model: DELETE /delete/{model}");
  run_in_background(call, [&registry = call.registry, name] {
    registry.remove(name);
    return HttpResponse{.body = "{}"};
  });
}

}  // namespace

std::span<const Route> tfaas_routes() {
  static constexpr std::array kRoutes{
      Route{Method::kPost, "/json", post_json},        Route{Method::kPost, "/predict/json", post_json},
      Route{Method::kPost, "/proto", post_proto},      Route{Method::kPost, "/predict/proto", post_proto},
      Route{Method::kPost, "/image", post_image},      Route{Method::kPost, "/predict/image", post_image},
      Route{Method::kPost, "/upload", post_upload},    Route{Method::kGet, "/models", get_models},
      Route{Method::kGet, "/params", get_params},      Route{Method::kGet, "/params/{}", get_params},
      Route{Method::kGet, "/status", get_status},      Route{Method::kGet, "/netron/{}", get_netron},
      Route{Method::kDelete, "/delete", delete_model}, Route{Method::kDelete, "/delete/{}", delete_model},
  };
  return kRoutes;
}

}  // namespace sapwood::serve
