#pragma once

#include <chrono>
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
  size_t max_body_bytes = 64u << 20;       ///< of a request, after decompression
  int64_t max_rows = 1 << 20;              ///< of a request
  uint64_t max_tensor_bytes = 256u << 20;  ///< that a request's rows may make of it, or its answer have
  size_t num_loops = 1;                    ///< of the server that calls
};

/// The routes, and what they do with the registry's models. docs/serving.md lists them.
class Service final : public HttpService {
 public:
  /// `registry` outlives the service.
  Service(Registry& registry, const ServiceOptions& options);
  ~Service() override;
  /// Drops what was to be done in the background and waits for what is being done (models that are loaded),
  /// but no longer than `patience`; whether that has ended. To be called before the server goes.
  bool stop(std::chrono::milliseconds patience);
  void handle(std::shared_ptr<Exchange> exchange) override;
  void observe(size_t loop, size_t route, int status, std::chrono::nanoseconds time) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sapwood::serve
