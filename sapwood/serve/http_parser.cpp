#include "sapwood/serve/http_parser.h"

#if defined(__GNUC__) && !defined(__clang__)
// boost::optional, when the sanitizers' instrumentation hides from g++ that its value is only read when there
// is one.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <optional>
#include <utility>

namespace sapwood::serve {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

Method method_of(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return Method::kGet;
    case http::verb::head:
      return Method::kHead;
    case http::verb::post:
      return Method::kPost;
    case http::verb::delete_:
      return Method::kDelete;
    default:
      return Method::kOther;
  }
}

/// Puts what Beast's parser finds straight into the request, with no container of fields between.
class Builder final : public http::basic_parser<true> {
 public:
  Builder(HttpRequest& request, const HttpLimits& limits) : request_(request) {
    eager(true);
    header_limit(limits.header_bytes);
    body_limit(limits.body_bytes);
  }
  bool expects_continue = false;
  bool http_1_1 = false;

 private:
  void on_request_impl(http::verb verb, string_view, string_view target, int version, error_code&) override {
    http_1_1 = version == 11;
    request_.method = method_of(verb);
    // A target may have the server's name in front.
    constexpr string_view kScheme = "http://";
    if (target.starts_with(kScheme)) {
      const size_t path = target.find('/', kScheme.size());
      target = path == string_view::npos ? string_view("/") : target.substr(path);
    }
    request_.target.assign(target.data(), target.size());
  }
  void on_response_impl(int, string_view, int, error_code&) override {}

  void on_field_impl(http::field name, string_view spelling, string_view value, error_code& error) override {
    if (is_header_done()) return;  // behind the body, where nobody else looks
    if (name == http::field::content_type) request_.content_type.assign(value.data(), value.size());
    if (name == http::field::content_encoding) request_.content_encoding.assign(value.data(), value.size());
    if (name == http::field::authorization) request_.authorization.assign(value.data(), value.size());
    if (name == http::field::host) request_.host.assign(value.data(), value.size());
    if (name == http::field::origin) request_.origin.assign(value.data(), value.size());
    if (name == http::field::expect) expects_continue = boost::beast::iequals(value, "100-continue");
    if (name == http::field::transfer_encoding && !boost::beast::iequals(value, "chunked")) {
      // Where a body ends must not depend on who reads it.
      error = http::error::bad_transfer_encoding;
    }
    if (name == http::field::unknown && boost::beast::iequals(spelling, "Inference-Header-Content-Length")) {
      request_.inference_header_length.assign(value.data(), value.size());
    }
  }
  void on_header_impl(error_code&) override {}

  void on_body_init_impl(const boost::optional<uint64_t>& content_length, error_code&) override {
    // A length that is only claimed gets a megabyte; the rest is allocated as it arrives.
    constexpr uint64_t kAtOnce = 1u << 20;
    request_.body.reserve(std::min(content_length.value_or(0), kAtOnce) + HttpRequest::kPadding);
  }
  size_t on_body_impl(string_view body, error_code&) override {
    request_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(uint64_t, string_view, error_code&) override {}
  size_t on_chunk_body_impl(uint64_t, string_view body, error_code& error) override {
    return on_body_impl(body, error);
  }
  void on_finish_impl(error_code&) override {
    request_.body.reserve(request_.body.size() + HttpRequest::kPadding);
  }

  HttpRequest& request_;
};

}  // namespace

class HttpParser::Machine {
 public:
  std::optional<Builder> builder;
  std::string problem;
};

HttpParser::HttpParser(const HttpLimits& limits) : limits_(limits), machine_(std::make_unique<Machine>()) {
  reset();
}
HttpParser::~HttpParser() = default;

HttpParser::Status HttpParser::feed(std::string_view bytes, size_t& consumed) {
  Builder& builder = *machine_->builder;
  consumed = 0;
  while (!builder.is_done()) {
    error_code error;
    const size_t used = builder.put(boost::asio::buffer(bytes.substr(consumed)), error);
    consumed += used;
    if (error == http::error::need_more) return Status::kMore;
    if (error == http::error::header_limit) return Status::kHeaderTooLarge;
    if (error == http::error::body_limit) return Status::kBodyTooLarge;
    if (error) {
      machine_->problem = error.message();
      return Status::kBad;
    }
    if (!builder.is_done() && (used == 0 || consumed == bytes.size())) return Status::kMore;
  }
  return Status::kDone;
}

std::string_view HttpParser::problem() const { return machine_->problem; }
bool HttpParser::keep_alive() const {
  const Builder& builder = *machine_->builder;
  return builder.is_header_done() && builder.http_1_1 && builder.keep_alive();
}

bool HttpParser::take_expects_continue() {
  Builder& builder = *machine_->builder;
  return builder.is_header_done() && std::exchange(builder.expects_continue, false);
}

void HttpParser::reset() {
  constexpr size_t kKeptBody = 64u << 10;
  if (request_.body.capacity() > kKeptBody) request_.body = {};
  request_.method = Method::kOther;
  request_.target.clear();
  request_.content_type.clear();
  request_.content_encoding.clear();
  request_.authorization.clear();
  request_.host.clear();
  request_.origin.clear();
  request_.inference_header_length.clear();
  request_.body.clear();
  machine_->builder.emplace(request_, limits_);
}

}  // namespace sapwood::serve
