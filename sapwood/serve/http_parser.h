#pragma once

#include <memory>
#include <string_view>

#include "sapwood/serve/http.h"

namespace sapwood::serve {

struct HttpLimits {
  uint32_t header_bytes = 16u << 10;
  uint64_t body_bytes = 64u << 20;
};

/// Takes requests of HTTP/1.0 and 1.1 apart as their bytes arrive. One request after the other.
class HttpParser {
 public:
  explicit HttpParser(const HttpLimits& limits);
  ~HttpParser();
  HttpParser(const HttpParser&) = delete;
  HttpParser& operator=(const HttpParser&) = delete;

  enum class Status : uint8_t {
    kMore,  ///< what was not consumed is to be given again, with more behind it
    kDone,
    kHeaderTooLarge,
    kBodyTooLarge,
    kBad,
  };
  /// Reads on; `consumed` bytes are not needed again. Not to be called after another status than `kMore`.
  Status feed(std::string_view bytes, size_t& consumed);
  /// What is wrong, after `kBad`.
  std::string_view problem() const;
  /// Whether the connection may stay, once the header is there.
  bool keep_alive() const;
  /// Whether the client waits to be told to go on; true once for each request.
  bool take_expects_continue();

  HttpRequest& request() { return request_; }
  /// Forgets this request, for the next one.
  void reset();

 private:
  class Machine;
  HttpLimits limits_;
  HttpRequest request_;
  std::unique_ptr<Machine> machine_;
};

}  // namespace sapwood::serve
