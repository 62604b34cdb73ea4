#include "sapwood/base/names.h"
#include "sapwood/bundle/json_columns.h"
#include "sapwood/serve/call.h"
#include "sapwood/serve/json_numbers.h"
#include "sapwood/serve/json_text.h"
#include "sapwood/serve/status_error.h"

namespace sapwood::serve {
namespace {

namespace dom = simdjson::dom;

dom::object columns_of(dom::element root) {
  dom::object columns;
  if (!root.is_object() || root.at_key("columns").get(columns) != simdjson::SUCCESS) {
    throw StatusError(400, "the request is not an object with 'columns': {name: list, ...}");
  }
  return columns;
}

Column read_column(const ColumnInfo& info, const dom::object& columns) {
  dom::element list;
  if (columns.at_key(info.name).get(list) != simdjson::SUCCESS) {
    constexpr size_t kMostTold = 1000;
    std::vector<std::string> given;
    for (const auto [key, value] : columns) {
      if (given.size() < kMostTold) given.emplace_back(key);
    }
    throw StatusError(400, concat("column '", info.name, "' (", info.type.to_string(), ") is missing",
                                  nearest_names_hint(info.name, given)));
  }
  return column_from_json(info.name, info.type, list, heap_pool());
}

HttpResponse format_outputs(const ServedModel& model, const OutputRows& rows) {
  std::string out = "{\"outputs\":{";
  const std::vector<TensorSpec>& specs = model.servable.model->outputs();
  for (size_t i = 0; i < specs.size(); ++i) {
    if (i != 0) out += ',';
    append_json_string(out, specs[i].name);
    out += ':';
    append_json_tensor(out, (*rows.outputs)[i].dtype, rows.shape(i), rows.bytes(i));
  }
  out += "},\"model\":";
  append_json_string(out, model.name);
  out += ",\"version\":";
  append_json_number(out, model.version);
  if (!model.servable.labels.empty()) {
    out += ",\"labels\":";
    char separator = '[';
    for (const std::string& label : model.servable.labels) {
      out += separator;
      append_json_string(out, label);
      separator = ',';
    }
    out += ']';
  }
  return {.body = out + "}"};
}

void post_predict(Call& call) {
  const auto model = find_model(call, call.captured[0]);
  const Servable& servable = model->servable;
  if (!servable.columns) {
    throw StatusError(
        400, concat("model '", model->name, "' has no features: send its tensors to /v2/models/", model->name,
                    "/infer"));
  }
  const dom::object given = columns_of(parse_json(call.parser, call.request().body));
  std::vector<Column> columns;
  for (const ColumnInfo& info : servable.columns->columns()) columns.push_back(read_column(info, given));
  for (size_t i = 1; i < columns.size(); ++i) {
    if (columns[i].length == columns[0].length) continue;
    throw StatusError(
        400, concat("column '", (*servable.columns)[i].name, "' has ", columns[i].length, " entries, but '",
                    (*servable.columns)[0].name, "' has ", columns[0].length));
  }
  if (!columns.empty()) check_rows(call, columns[0].length, servable.prepared_row_bytes);
  run_model(call, model, servable.prepare(std::move(columns)), format_outputs);
}

}  // namespace

std::span<const Route> predict_routes() {
  static constexpr std::array kRoutes{Route{Method::kPost, "/v1/models/{}:predict", post_predict}};
  return kRoutes;
}

}  // namespace sapwood::serve
