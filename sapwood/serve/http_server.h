#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "sapwood/serve/http.h"
#include "sapwood/serve/http_parser.h"

namespace sapwood::serve {

struct HttpServerOptions {
  std::string host = "127.0.0.1";  ///< an address, no name
  uint16_t port = 8000;            ///< 0: any that is free
  size_t threads = 0;              ///< event loops; 0: one for each processor
  size_t max_connections = 4096;   ///< one more is answered with 503 and closed
  HttpLimits limits{};
  uint64_t max_body_total = uint64_t{1} << 30;  ///< bytes of all connections' bodies; large ones get 503 then
  std::chrono::milliseconds request_timeout{
      30'000};                                     ///< for all of a request to arrive, or a response to leave
  std::chrono::milliseconds idle_timeout{75'000};  ///< between requests of a connection
};

/// HTTP/1.1 over TCP: connections stay, requests may be pipelined, answers keep their order. Every connection
/// belongs to one event loop, a thread; new ones are handed out in turn.
class HttpServer {
 public:
  /// Listens and serves at once. `service` outlives the server. Throws IoError (the address is in use or not
  /// ours).
  HttpServer(const HttpServerOptions& options, HttpService& service);
  /// Like `stop(0)`.
  ~HttpServer();  // NOLINT(bugprone-exception-escape)
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const;
  size_t num_loops() const;
  size_t num_connections() const;
  /// Takes no more connections, answers the requests that are being worked on or read, and returns when all
  /// connections are closed, after `patience` by closing them. To be called once, not from a loop's thread.
  void stop(std::chrono::milliseconds patience);

 private:
  class Loop;
  class Connection;
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sapwood::serve
