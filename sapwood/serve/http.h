#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sapwood/serve/scheduler.h"

namespace sapwood::serve {

enum class Method : uint8_t { kGet, kHead, kPost, kDelete, kOther };

/// A request of HTTP/1.1, whole. Of the header fields those are kept that some route looks at; absent ones
/// are empty.
struct HttpRequest {
  /// Bytes of capacity that `body` has beyond its size, for parsers that read past the end.
  static constexpr size_t kPadding = 64;

  Method method = Method::kOther;
  std::string target;  ///< with the query, as sent
  std::string content_type;
  std::string content_encoding;
  std::string authorization;
  std::string host;
  std::string origin;
  std::string inference_header_length;
  std::string body;

  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
};

struct HttpResponse {
  int status = 200;
  std::string_view content_type = "application/json";  ///< a literal
  std::string fields{};                                ///< further header fields, each ending in CR LF
  std::string body{};
};

/// {"error": message}
HttpResponse error_response(int status, std::string_view message);

/// One thread with connections of its own. The scheduler's answers come back to it.
class EventLoop : public Deliveries {
 public:
  /// Calls `task` soon on the loop's thread. From any thread.
  virtual void run_soon(std::function<void()> task) = 0;
  /// Of this loop among the server's.
  virtual size_t index() const = 0;
};

/// A request and the way back to its client. To be used on its loop's thread alone, but for `loop()`.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual HttpRequest& request() = 0;
  /// Exactly once for each request; a client that is gone is none of the caller's business.
  virtual void respond(HttpResponse response) = 0;
  virtual const std::shared_ptr<EventLoop>& loop() const = 0;
  /// Becomes true when the client has gone.
  virtual std::shared_ptr<const std::atomic<bool>> cancelled() const = 0;

  size_t route = 0;  ///< for whoever counts; 0: not known (yet)
};

/// What a server does with requests. Called on the loops' threads, many at a time.
class HttpService {
 public:
  virtual ~HttpService() = default;
  /// May keep `exchange` and respond later. What it throws becomes a response of status 500.
  virtual void handle(std::shared_ptr<Exchange> exchange) = 0;
  /// After each response, those of the server itself (bad requests, timeouts) too.
  virtual void observe(size_t loop, size_t route, int status, std::chrono::nanoseconds time) = 0;
};

}  // namespace sapwood::serve
