#include "sapwood/serve/http_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <ctime>
#include <exception>
#include <optional>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "sapwood/base/error.h"
#include "sapwood/base/parallel.h"

namespace sapwood::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTick{100};
constexpr std::chrono::seconds kLinger{1};  // without a byte from the client
constexpr std::chrono::seconds kLongestLinger{10};
constexpr std::chrono::seconds kHalfClosed{1};
constexpr uint64_t kSmallBody = 1u << 20;  // taken however much others hold

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Payload Too Large";
    case 415:
      return "Unsupported Media Type";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    default:
      return "Other";
  }
}

std::string date_field() {
  std::array<char, 64> text{};
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  const size_t size = std::strftime(text.data(), text.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
  return {text.data(), size};
}

void append_number(std::string& out, uint64_t number) {
  std::array<char, 20> digits{};
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

}  // namespace

/// What all connections hold together; outlives the server with the last of them.
struct Usage {
  std::atomic<size_t> connections{0};
  std::atomic<uint64_t> body_bytes{0};
};

/// An io_context with its thread, and the connections that belong to it.
class HttpServer::Loop final : public EventLoop, public std::enable_shared_from_this<Loop> {
 public:
  Loop(State& server, size_t index) : server(server), timer_(context), index_(index) {}

  void post(std::vector<Finished> finished) override {
    if (joined_.load()) return;
    asio::post(context, [finished = std::move(finished)]() mutable {
      for (Finished& one : finished) one.deliver();
    });
  }
  void run_soon(std::function<void()> task) override {
    if (!joined_.load()) asio::post(context, std::move(task));
  }
  size_t index() const override { return index_; }

  void start() {
    tick();
    thread_ = std::jthread([this] { run(); });
  }
  void adopt(tcp::socket socket);
  void drain();
  /// Ends the thread; answers that still come are dropped.
  void join();
  /// After all loops have ended: lets go of the connections, and of what waits in the queue.
  void finish();

  asio::io_context context{1};
  State& server;
  std::unordered_set<std::shared_ptr<Connection>> connections;
  std::array<char, 64 * 1024> scratch{};
  std::string date = date_field();
  bool draining = false;

 private:
  void run();
  void tick();
  void close_all();

  asio::executor_work_guard<asio::io_context::executor_type> work_{context.get_executor()};
  asio::steady_timer timer_;
  size_t index_;
  std::atomic<bool> joined_{false};
  std::jthread thread_;
};

struct HttpServer::State {
  State(const HttpServerOptions& options, HttpService& service) : options(options), service(service) {}
  void accept();

  const HttpServerOptions options;
  HttpService& service;
  std::vector<std::shared_ptr<Loop>> loops;
  std::optional<tcp::acceptor> acceptor;
  std::optional<asio::steady_timer> retry;
  uint16_t port = 0;
  size_t next_loop = 0;
  const std::shared_ptr<Usage> usage = std::make_shared<Usage>();
  bool stopped = false;
};

/// One client. Reads when the socket is readable, answers one request at a time; while one is being worked on
/// a readable socket tells whether the client is still there.
class HttpServer::Connection final : public Exchange, public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Loop> loop, tcp::socket socket)
      : loop_(std::move(loop)),
        event_loop_(loop_),
        usage_(loop_->server.usage),
        socket_(std::move(socket)),
        parser_(loop_->server.options.limits) {
    usage_->connections.fetch_add(1);
  }
  ~Connection() override {
    usage_->connections.fetch_sub(1);
    usage_->body_bytes.fetch_sub(counted_body_);
  }

  HttpRequest& request() override { return parser_.request(); }
  const std::shared_ptr<EventLoop>& loop() const override { return event_loop_; }
  std::shared_ptr<const std::atomic<bool>> cancelled() const override { return {shared_from_this(), &gone_}; }

  void start() {
    error_code ignored;
    socket_.non_blocking(true, ignored);
    socket_.set_option(tcp::no_delay(true), ignored);
    started_ = Clock::now();
    set_phase(Phase::kIdle);
    wait_readable();
  }
  void refuse() {
    start();
    closing_ = true;
    respond(error_response(503, "too many connections"));
  }
  void respond(HttpResponse response) override;
  void check_deadline(Clock::time_point now);
  void drain();
  void close();

 private:
  enum class Phase : uint8_t { kIdle, kReading, kBusy, kWriting, kLingering };

  void set_phase(Phase phase);
  void wait_readable();
  void on_readable();
  void give_up(std::string_view why);
  void count_body();
  bool body_has_room() const;
  void read();
  void receive(std::string_view bytes);
  void say_continue();
  void answer(HttpParser::Status status);
  void reject(int status, std::string_view message);
  void write();
  void written();

  const std::shared_ptr<Loop> loop_;
  const std::shared_ptr<EventLoop> event_loop_;
  const std::shared_ptr<Usage> usage_;
  tcp::socket socket_;
  HttpParser parser_;
  std::string pending_;  ///< received, not yet parsed
  std::string head_;
  std::string body_;
  size_t sent_ = 0;
  Clock::time_point deadline_ = Clock::time_point::max();
  Clock::time_point started_;
  Clock::time_point lingering_since_;
  Phase phase_ = Phase::kIdle;
  bool waiting_ = false;       ///< for the socket to become readable
  bool unread_ = false;        ///< the socket became readable while a request was worked on
  bool parsing_ = false;       ///< a response now is followed by the parser's next request without recursion
  bool closing_ = false;       ///< after the response
  uint64_t counted_body_ = 0;  ///< in `usage_`
  std::atomic<bool> gone_{false};
};

void HttpServer::Connection::set_phase(Phase phase) {
  const HttpServerOptions& options = loop_->server.options;
  phase_ = phase;
  switch (phase) {
    case Phase::kIdle:
      deadline_ = Clock::now() + options.idle_timeout;
      break;
    case Phase::kReading:
    case Phase::kWriting:
      deadline_ = Clock::now() + options.request_timeout;
      break;
    case Phase::kBusy:
      deadline_ = Clock::time_point::max();
      break;
    case Phase::kLingering:
      lingering_since_ = Clock::now();
      deadline_ = lingering_since_ + kLinger;
      break;
  }
}

void HttpServer::Connection::wait_readable() {
  if (waiting_ || !socket_.is_open()) return;
  waiting_ = true;
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code error) {
    self->waiting_ = false;
    if (!error) self->on_readable();
  });
}

void HttpServer::Connection::on_readable() {
  if (!socket_.is_open()) return;
  if (phase_ == Phase::kBusy || phase_ == Phase::kWriting) {
    char byte = 0;
    const ssize_t size = recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (size < 0 && errno != EAGAIN && errno != EINTR) return close();
    if (size == 0) {
      // No more requests. The client may still read, or be gone: that shows when the answer takes long.
      closing_ = true;
      if (phase_ == Phase::kBusy) deadline_ = Clock::now() + kHalfClosed;
    } else {
      unread_ = true;  // What it sent is read after the response.
    }
    return;
  }
  try {
    read();
  } catch (const std::exception& error) {
    give_up(error.what());
  }
}

// There is not enough memory, most likely: what this connection holds is let go.
void HttpServer::Connection::give_up(std::string_view why) {
  try {
    pending_ = {};
    parser_.reset();
    count_body();
    phase_ = Phase::kBusy;
    reject(503, why);
  } catch (const std::exception&) {
    close();
  }
}

void HttpServer::Connection::count_body() {
  const uint64_t bytes = parser_.request().body.capacity();
  usage_->body_bytes.fetch_add(bytes - counted_body_);  // wraps around where it is less
  counted_body_ = bytes;
}

// A large body has to wait for others where all together hold too much.
bool HttpServer::Connection::body_has_room() const {
  return counted_body_ <= kSmallBody || usage_->body_bytes.load() <= loop_->server.options.max_body_total;
}

void HttpServer::Connection::read() {
  error_code error;
  const size_t size = socket_.read_some(asio::buffer(loop_->scratch), error);
  if (error == asio::error::would_block) return wait_readable();
  if (error) return close();
  if (phase_ == Phase::kLingering) {
    deadline_ = std::min(lingering_since_ + kLongestLinger, Clock::now() + kLinger);
  } else {
    receive({loop_->scratch.data(), size});
  }
  wait_readable();
}

void HttpServer::Connection::receive(std::string_view bytes) {
  std::string joined;
  if (!pending_.empty()) {
    joined = std::exchange(pending_, {});
    bytes = joined.append(bytes);
  }
  parsing_ = true;
  while (!bytes.empty() && (phase_ == Phase::kIdle || phase_ == Phase::kReading)) {
    if (phase_ == Phase::kIdle) {
      set_phase(Phase::kReading);
      started_ = Clock::now();
    }
    size_t used = 0;
    HttpParser::Status status = parser_.feed(bytes, used);
    bytes.remove_prefix(used);
    count_body();
    if (!body_has_room()) {
      give_up("the server has too many large requests at the moment");
      break;
    }
    // What the parser wants more of is the header, or one of a chunk: neither may be long.
    const bool too_long = bytes.size() > loop_->server.options.limits.header_bytes;
    if (status == HttpParser::Status::kMore && too_long) status = HttpParser::Status::kHeaderTooLarge;
    if (status == HttpParser::Status::kMore) {
      if (parser_.take_expects_continue()) say_continue();
      break;
    }
    answer(status);
  }
  parsing_ = false;
  pending_.assign(bytes);
}

void HttpServer::Connection::say_continue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  error_code ignored;  // Who does not get it goes on without, or is gone.
  socket_.write_some(asio::buffer(kContinue), ignored);
}

void HttpServer::Connection::answer(HttpParser::Status status) {
  phase_ = Phase::kBusy;
  deadline_ = Clock::time_point::max();
  const HttpLimits& limits = loop_->server.options.limits;
  switch (status) {
    case HttpParser::Status::kHeaderTooLarge:
      return reject(431, concat("the header is larger than ", limits.header_bytes, " bytes"));
    case HttpParser::Status::kBodyTooLarge:
      return reject(413, concat("the body is larger than ", limits.body_bytes, " bytes"));
    case HttpParser::Status::kBad:
      return reject(400, concat("not a request of HTTP: ", parser_.problem()));
    case HttpParser::Status::kMore:
    case HttpParser::Status::kDone:
      break;
  }
  closing_ = !parser_.keep_alive() || loop_->draining;
  try {
    loop_->server.service.handle(shared_from_this());
  } catch (const std::exception& error) {
    if (phase_ == Phase::kBusy) respond(error_response(500, error.what()));
  }
  count_body();
}

void HttpServer::Connection::reject(int status, std::string_view message) {
  closing_ = true;
  respond(error_response(status, message));
}

void HttpServer::Connection::respond(HttpResponse response) {
  constexpr int kClientClosedRequest = 499;
  HttpServer::State& server = loop_->server;
  server.service.observe(loop_->index(), route, socket_.is_open() ? response.status : kClientClosedRequest,
                         Clock::now() - started_);
  if (!socket_.is_open()) return;
  head_.assign("HTTP/1.1 ");
  append_number(head_, static_cast<uint64_t>(response.status));
  head_.append(" ").append(reason_phrase(response.status)).append("\r\nContent-Type: ");
  head_.append(response.content_type).append("\r\nContent-Length: ");
  append_number(head_, response.body.size());
  head_.append("\r\n").append(loop_->date).append(response.fields);
  if (closing_) head_.append("Connection: close\r\n");
  head_.append("\r\n");
  body_ = request().method == Method::kHead ? std::string() : std::move(response.body);
  sent_ = 0;
  set_phase(Phase::kWriting);
  write();
}

void HttpServer::Connection::write() {
  while (sent_ < head_.size() + body_.size()) {
    const std::string_view head = std::string_view(head_).substr(std::min(sent_, head_.size()));
    const std::string_view body = std::string_view(body_).substr(sent_ - (head_.size() - head.size()));
    error_code error;
    sent_ += socket_.write_some(std::array{asio::buffer(head), asio::buffer(body)}, error);
    if (error == asio::error::would_block) {
      socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](error_code failed) {
        if (!failed && self->phase_ == Phase::kWriting) self->write();
      });
      return;
    }
    if (error) return close();
  }
  written();
}

void HttpServer::Connection::written() {
  body_ = {};
  if (closing_) {
    // What the client still sends is thrown away for a while: closing at once would cost it the response.
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    pending_.clear();
    set_phase(Phase::kLingering);
    return wait_readable();
  }
  parser_.reset();
  count_body();
  route = 0;
  set_phase(Phase::kIdle);
  if (parsing_) return;
  if (!pending_.empty()) receive({});
  if (phase_ != Phase::kIdle && phase_ != Phase::kReading) return;
  if (std::exchange(unread_, false)) {
    read();
  } else {
    wait_readable();
  }
}

void HttpServer::Connection::check_deadline(Clock::time_point now) {
  if (now < deadline_) return;
  if (phase_ == Phase::kReading) {
    phase_ = Phase::kBusy;
    reject(408, "the request did not arrive in time");
  } else {
    close();
  }
}

void HttpServer::Connection::drain() {
  if (phase_ == Phase::kBusy || phase_ == Phase::kWriting) closing_ = true;
  if (phase_ != Phase::kIdle) return;
  char byte = 0;
  const bool has_sent = recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  if (!has_sent) close();
}

void HttpServer::Connection::close() {
  const auto self = shared_from_this();
  gone_.store(true, std::memory_order_relaxed);
  error_code ignored;
  socket_.close(ignored);
  loop_->connections.erase(self);
}

void HttpServer::Loop::adopt(tcp::socket socket) {
  const bool full = server.usage->connections.load() >= server.options.max_connections;
  const auto connection = std::make_shared<Connection>(shared_from_this(), std::move(socket));
  connections.insert(connection);
  if (full) {
    connection->refuse();
  } else {
    connection->start();
  }
}

void HttpServer::Loop::drain() {
  draining = true;
  for (const auto& connection : std::vector(connections.begin(), connections.end())) connection->drain();
}

void HttpServer::Loop::close_all() {
  for (const auto& connection : std::vector(connections.begin(), connections.end())) connection->close();
}

void HttpServer::Loop::tick() {
  const Clock::time_point now = Clock::now();
  date = date_field();
  for (const auto& connection : std::vector(connections.begin(), connections.end())) {
    connection->check_deadline(now);
  }
  timer_.expires_after(kTick);
  timer_.async_wait([this](error_code error) {
    if (!error) tick();
  });
}

void HttpServer::Loop::run() {
  for (;;) {
    try {
      context.run();
      return;
    } catch (const std::exception&) {
      // Not enough memory for one connection's work; its deadline ends it, and the others go on.
    }
  }
}

void HttpServer::Loop::join() {
  context.stop();
  if (thread_.joinable()) thread_.join();
  joined_.store(true);
}

void HttpServer::Loop::finish() {
  // What is left in the queue holds connections, which hold this loop.
  close_all();
  timer_.cancel();
  context.restart();
  context.poll();
}

void HttpServer::State::accept() {
  Loop& loop = *loops[next_loop++ % loops.size()];
  acceptor->async_accept(loop.context, [this, &loop](error_code error, tcp::socket socket) {
    if (!acceptor->is_open()) return;
    if (!error) {
      asio::post(loop.context,
                 [&loop, socket = std::move(socket)]() mutable { loop.adopt(std::move(socket)); });
      return accept();
    }
    // Out of file descriptors, most likely: some may be free again soon.
    retry->expires_after(kTick);
    retry->async_wait([this](error_code failed) {
      if (!failed) accept();
    });
  });
}

HttpServer::HttpServer(const HttpServerOptions& options, HttpService& service)
    : state_(std::make_unique<State>(options, service)) {
  const size_t threads = options.threads != 0 ? options.threads : available_threads();
  for (size_t i = 0; i < threads; ++i) state_->loops.push_back(std::make_shared<Loop>(*state_, i));
  asio::io_context& context = state_->loops.front()->context;
  try {
    const tcp::endpoint endpoint(asio::ip::make_address(options.host), options.port);
    state_->acceptor.emplace(context, endpoint, true);
    state_->port = state_->acceptor->local_endpoint().port();
  } catch (const boost::system::system_error& error) {
    throw IoError(
        concat("can't listen on ", options.host, " port ", options.port, ": ", error.code().message()));
  }
  state_->retry.emplace(context);
  state_->accept();
  for (const auto& loop : state_->loops) loop->start();
}

// Only a lack of memory can throw here, and then there is no way on.
HttpServer::~HttpServer() { stop(std::chrono::milliseconds(0)); }  // NOLINT(bugprone-exception-escape)

uint16_t HttpServer::port() const { return state_->port; }
size_t HttpServer::num_loops() const { return state_->loops.size(); }
size_t HttpServer::num_connections() const { return state_->usage->connections.load(); }

void HttpServer::stop(std::chrono::milliseconds patience) {
  if (std::exchange(state_->stopped, true)) return;
  const Clock::time_point deadline = Clock::now() + patience;
  asio::post(state_->loops.front()->context, [state = state_.get()] {
    error_code ignored;
    state->acceptor->close(ignored);
    state->retry->cancel();
  });
  for (const auto& loop : state_->loops) asio::post(loop->context, [&loop] { loop->drain(); });
  while (state_->usage->connections.load() > 0 && Clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  for (const auto& loop : state_->loops) loop->join();
  // No thread runs any more.
  for (const auto& loop : state_->loops) loop->finish();
}

}  // namespace sapwood::serve
