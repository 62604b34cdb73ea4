#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "sapwood/serve/http.h"
#include "sapwood/serve/registry.h"

namespace sapwood::serve {

struct ServiceOptions {
  /// Who sends it (Authorization: Bearer) may upload and delete; empty: nobody may.
  std::string token{};
  /// Whether models may be loaded and unloaded without a token, while there is none.
  bool open_control = true;
  size_t max_body_bytes = 64u << 20;  ///< of a request, after decompression
  size_t num_loops = 1;               ///< of the server that calls
};

/// The routes, and what they do with the registry's models. docs/serving.md lists them.
class Service final : public HttpService {
 public:
  /// `registry` outlives the service.
  Service(Registry& registry, const ServiceOptions& options);
  ~Service() override;
  void handle(std::shared_ptr<Exchange> exchange) override;
  void observe(size_t loop, size_t route, int status, std::chrono::nanoseconds time) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sapwood::serve
