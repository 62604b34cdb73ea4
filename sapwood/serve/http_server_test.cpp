#include "sapwood/serve/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sapwood/serve/service.h"
#include "sapwood/serve/test_model.h"

namespace sapwood::serve {
namespace {

/// A blocking client with one connection.
class TestClient {
 public:
  explicit TestClient(uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* generic = static_cast<const sockaddr*>(static_cast<const void*>(&address));
    EXPECT_EQ(connect(socket_, generic, sizeof address), 0);
  }
  ~TestClient() { close(socket_); }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  void send(const std::string& text) const {
    EXPECT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  void finish_sending() const { EXPECT_EQ(shutdown(socket_, SHUT_WR), 0); }
  /// What arrives until it contains `end`, or the connection closes.
  std::string read_until(const std::string& end) {
    while (received_.find(end) == std::string::npos) {
      char buffer[4096];
      const ssize_t size = recv(socket_, buffer, sizeof buffer, 0);
      if (size <= 0) return std::exchange(received_, {});
      received_.append(buffer, static_cast<size_t>(size));
    }
    const size_t stop = received_.find(end) + end.size();
    std::string text = received_.substr(0, stop);
    received_.erase(0, stop);
    return text;
  }

 private:
  int socket_;
  std::string received_;
};

std::string post(const std::string& path, const std::string& body) {
  return concat("POST ", path, " HTTP/1.1\r\nContent-Length: ", body.size(), "\r\n\r\n", body);
}

struct HttpServerTest : testing::Test {
  explicit HttpServerTest(int64_t max_queued_rows = 1000) : max_queued_rows(max_queued_rows) {}
  int64_t max_queued_rows;
  std::shared_ptr<SumModel> model = std::make_shared<SumModel>();
  Registry registry{std::nullopt,
                    [this](const std::string&) { return Servable{.name = "m", .model = model}; },
                    {.scheduler = {.max_queued_rows = max_queued_rows}}};
  Service service{registry, {.num_loops = 2}};
  HttpServer server{{.port = 0, .threads = 2}, service};

  void SetUp() override { registry.serve_file("any"); }
};

struct SmallQueueTest : HttpServerTest {
  SmallQueueTest() : HttpServerTest(1) {}
};

TEST_F(HttpServerTest, AnswersManyClients) {
  std::vector<std::jthread> clients;
  for (int c = 0; c < 4; ++c) {
    clients.emplace_back([this, c] {
      TestClient client(server.port());
      for (int i = 0; i < 100; ++i) {
        client.send(post("/json", concat("{\"values\":[", c, ",", i, "]}")));
        const std::string answer = client.read_until("]");
        EXPECT_TRUE(answer.ends_with(concat("[", c + i, "]"))) << answer;
      }
    });
  }
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  TestClient client(server.port());
  std::string requests;
  for (int i = 0; i < 20; ++i) requests += post("/json", concat("{\"values\":[0,", i, "]}"));
  client.send(requests);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(client.read_until("]").ends_with(concat("[", i, "]")));
}

TEST_F(SmallQueueTest, FullQueuesAreToldAndDisconnectedClientsDropped) {
  auto gate = model->hold();
  TestClient first(server.port());
  first.send(post("/json", R"({"values":[1,2]})"));
  const auto scheduler = [this]() -> Scheduler& { return registry.only()->scheduler; };
  while (scheduler().counters().queue_seconds.count() == 0) std::this_thread::yield();
  {
    TestClient gone(server.port());
    gone.send(post("/json", R"({"values":[3,4]})"));
    while (scheduler().counters().queued_requests == 0) std::this_thread::yield();
    TestClient refused(server.port());
    refused.send(post("/json", R"({"values":[5,6]})"));
    const std::string answer = refused.read_until("\"}");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 "));
    EXPECT_NE(answer.find("Retry-After"), std::string::npos);
  }
  while (server.num_connections() > 2) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));  // it might have gone on reading
  gate.unlock();
  EXPECT_TRUE(first.read_until("]").ends_with("[3]"));
  while (scheduler().counters().cancelled == 0) std::this_thread::yield();
}

TEST_F(HttpServerTest, AnswersClientsThatSendNoMore) {
  auto gate = model->hold();
  TestClient client(server.port());
  client.send(post("/json", R"({"values":[1,2]})"));
  client.finish_sending();
  while (registry.only()->scheduler.counters().queue_seconds.count() == 0) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  gate.unlock();
  EXPECT_TRUE(client.read_until("]").ends_with("[3]"));
}

TEST_F(HttpServerTest, StopsAfterTheAnswers) {
  auto gate = model->hold();
  TestClient client(server.port());
  client.send(post("/json", R"({"values":[1,2]})"));
  while (registry.only()->scheduler.counters().queue_seconds.count() == 0) std::this_thread::yield();
  std::jthread stopper([this] { server.stop(std::chrono::seconds(10)); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  gate.unlock();
  const std::string answer = client.read_until("]");
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("[3]"));
}

}  // namespace
}  // namespace sapwood::serve
