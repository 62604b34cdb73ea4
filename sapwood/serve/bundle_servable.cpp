#include "sapwood/serve/bundle_servable.h"

#include <utility>

#include "sapwood/bundle/bundle.h"

namespace sapwood::serve {

Servable open_bundle(const std::string& path, const RuntimeOptions& options) {
  const auto predictor = std::make_shared<const Predictor>(Bundle::open(path), options);
  const Bundle& bundle = predictor->bundle();
  Servable servable{.name = bundle.name(),
                    .model = std::shared_ptr<const Model>(predictor, &predictor->model()),
                    .framework = bundle.framework(),
                    .description = bundle.description(),
                    .created = bundle.created(),
                    .labels = bundle.labels()};
  if (bundle.features()) {
    servable.columns = bundle.columns();
    servable.prepared_row_bytes = predictor->prepared_row_bytes();
    servable.prepare = [predictor](std::vector<Column> columns) {
      return predictor->prepare(std::move(columns));
    };
  }
  return servable;
}

}  // namespace sapwood::serve
