#include "sapwood/serve/scheduler.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <deque>
#include <future>
#include <string>

#include "sapwood/serve/test_model.h"

namespace sapwood::serve {
namespace {

struct Client {
  std::shared_ptr<DirectDeliveries> deliveries = std::make_shared<DirectDeliveries>();
  std::deque<std::promise<Outcome>> promises;  // which stay where they are

  Request request(std::span<const float> values) {
    Request request;
    request.rows = static_cast<int64_t>(values.size() / 2);
    request.inputs = {float_tensor({request.rows, 2}, values)};
    request.deliveries = deliveries;
    promises.emplace_back();
    request.completion = [promise = &promises.back()](Outcome outcome) {
      promise->set_value(std::move(outcome));
    };
    return request;
  }
  std::future<Outcome> submit(Scheduler& scheduler, std::vector<float> values) {
    Request one = request(values);
    EXPECT_EQ(scheduler.submit(one), Admission::kAccepted);
    return promises.back().get_future();
  }
};

std::vector<float> sums(const Outcome& outcome) {
  const auto& rows = std::get<OutputRows>(outcome);
  const auto bytes = rows.bytes(0);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  EXPECT_EQ(rows.shape(0), (std::vector<int64_t>{static_cast<int64_t>(values.size()), 1}));
  return values;
}

void wait_until(const auto& condition) {
  while (!condition()) std::this_thread::yield();
}

TEST(Scheduler, AnswersEachRequestWithItsRows) {
  const auto model = std::make_shared<SumModel>();
  Scheduler scheduler(model);
  Client client;
  auto first = client.submit(scheduler, {1, 2});
  auto second = client.submit(scheduler, {3, 4, 5, 6});
  EXPECT_EQ(sums(first.get()), (std::vector<float>{3}));
  EXPECT_EQ(sums(second.get()), (std::vector<float>{7, 11}));
}

TEST(Scheduler, JoinsWhatIsQueuedWhileTheModelIsBusyAndWakesEachReceiverOnce) {
  const auto model = std::make_shared<SumModel>();
  Scheduler scheduler(model);
  Client client;
  auto gate = model->hold();
  std::vector<std::future<Outcome>> answers;
  answers.push_back(client.submit(scheduler, {0, 0}));
  wait_until([&] { return scheduler.counters().queued_requests == 0; });
  for (float i = 1; i < 100; ++i) answers.push_back(client.submit(scheduler, {i, i}));
  gate.unlock();
  for (size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(sums(answers[i].get()), (std::vector<float>{2 * static_cast<float>(i)}));
  }
  EXPECT_EQ(model->runs(), 2);
  scheduler.stop(true);
  EXPECT_EQ(client.deliveries->posts.load(), 2);
  const SchedulerCounters counters = scheduler.counters();
  EXPECT_EQ(counters.requests, 100u);
  EXPECT_EQ(counters.rows, 100u);
  EXPECT_EQ(counters.batches, 2u);
  EXPECT_EQ(counters.queue_seconds.count(), 100u);
  EXPECT_EQ(counters.batch_rows.sum, 100);
}

TEST(Scheduler, BoundsTheRowsOfABatch) {
  const auto model = std::make_shared<SumModel>();
  Scheduler scheduler(model, {.max_batch_rows = 10});
  Client client;
  auto gate = model->hold();
  std::vector<std::future<Outcome>> answers;
  answers.push_back(client.submit(scheduler, {0, 0}));
  wait_until([&] { return scheduler.counters().queued_requests == 0; });
  for (int i = 0; i < 20; ++i) answers.push_back(client.submit(scheduler, {1, 1}));
  answers.push_back(client.submit(scheduler, std::vector<float>(50, 1)));  // 25 rows: alone
  gate.unlock();
  for (auto& answer : answers) sums(answer.get());
  EXPECT_EQ(model->runs(), 4);
}

TEST(Scheduler, RefusesWhatTheQueueDoesNotHold) {
  const auto model = std::make_shared<SumModel>();
  Scheduler scheduler(model, {.max_queued_rows = 2});
  Client client;
  auto gate = model->hold();
  auto running = client.submit(scheduler, {0, 0});
  wait_until([&] { return scheduler.counters().queued_requests == 0; });
  auto a = client.submit(scheduler, {1, 1});
  auto b = client.submit(scheduler, {2, 2});
  Request refused = client.request(std::array{3.f, 3.f});
  EXPECT_EQ(scheduler.submit(refused), Admission::kQueueFull);
  EXPECT_EQ(refused.inputs.size(), 1u);
  EXPECT_EQ(scheduler.counters().refused, 1u);
  gate.unlock();
  running.get();
  EXPECT_EQ(sums(a.get()), (std::vector<float>{2}));
  EXPECT_EQ(sums(b.get()), (std::vector<float>{4}));
}

TEST(Scheduler, OneBadRequestFailsAlone) {
  const auto model = std::make_shared<SumModel>();
  Scheduler scheduler(model);
  Client client;
  auto gate = model->hold();
  auto running = client.submit(scheduler, {0, 0});
  wait_until([&] { return scheduler.counters().queued_requests == 0; });
  auto good = client.submit(scheduler, {1, 1});
  auto bad = client.submit(scheduler, {-1, 1});
  auto other = client.submit(scheduler, {2, 1});
  gate.unlock();
  EXPECT_EQ(sums(good.get()), (std::vector<float>{2}));
  EXPECT_EQ(sums(other.get()), (std::vector<float>{3}));
  const Outcome outcome = bad.get();
  EXPECT_EQ(std::get<Failure>(outcome).kind, Failure::Kind::kModel);
  EXPECT_NE(std::get<Failure>(outcome).message.find("negative"), std::string::npos);
  scheduler.stop(true);
  EXPECT_EQ(scheduler.counters().failures, 1u);
}

TEST(Scheduler, DropsRequestsOfClientsThatAreGone) {
  const auto model = std::make_shared<SumModel>();
  Scheduler scheduler(model);
  Client client;
  auto gate = model->hold();
  auto running = client.submit(scheduler, {0, 0});
  wait_until([&] { return scheduler.counters().queued_requests == 0; });
  Request gone = client.request(std::array{3.f, 3.f});
  auto answer = client.promises.back().get_future();
  const auto flag = std::make_shared<std::atomic<bool>>(false);
  gone.cancelled = flag;
  EXPECT_EQ(scheduler.submit(gone), Admission::kAccepted);
  flag->store(true);
  gate.unlock();
  EXPECT_EQ(std::get<Failure>(answer.get()).kind, Failure::Kind::kCancelled);
  running.get();
  scheduler.stop(true);
  EXPECT_EQ(model->runs(), 1);
  EXPECT_EQ(scheduler.counters().cancelled, 1u);
}

TEST(Scheduler, DrainsOrAbandonsWhenItStops) {
  for (const bool drain : {true, false}) {
    const auto model = std::make_shared<SumModel>();
    Scheduler scheduler(model);
    Client client;
    auto gate = model->hold();
    auto running = client.submit(scheduler, {0, 0});
    wait_until([&] { return scheduler.counters().queued_requests == 0; });
    auto queued = client.submit(scheduler, {1, 1});
    std::jthread stopper([&] { scheduler.stop(drain); });
    Request late;
    wait_until([&] {
      late = client.request(std::array{3.f, 3.f});
      if (scheduler.submit(late) == Admission::kStopped) return true;
      return false;
    });
    gate.unlock();
    stopper.join();
    EXPECT_EQ(sums(running.get()), (std::vector<float>{0}));
    EXPECT_EQ(std::holds_alternative<OutputRows>(queued.get()), drain);
  }
}

/// Takes the mean over all rows from each.
class CoupledModel final : public Model {
 public:
  const std::vector<TensorSpec>& inputs() const override { return specs_; }
  const std::vector<TensorSpec>& outputs() const override { return specs_; }
  std::vector<Tensor> run(std::span<const Tensor> inputs) const override {
    Tensor output = float_tensor(inputs[0].shape, inputs[0].data.as<const float>());
    const auto values = output.data.as<float>();
    float mean = 0;
    for (const float value : values) mean += value / static_cast<float>(values.size());
    for (float& value : values) value -= mean;
    return {output};
  }

 private:
  std::vector<TensorSpec> specs_{{"x", DType::kFloat32, {-1, 1}}};
};

TEST(WarmUp, TellsRowsThatKnowOfEachOther) {
  EXPECT_TRUE(warm_up(SumModel()));
  EXPECT_FALSE(warm_up(CoupledModel()));
  EXPECT_TRUE(warm_up(SumModel({-1, int64_t{1} << 40})));  // too large to be tried
}

TEST(Scheduler, RunsRequestsApartWhereTheyAreNotToBeJoined) {
  const auto model = std::make_shared<SumModel>();
  Scheduler scheduler(model, {.joins_requests = false});
  Client client;
  auto gate = model->hold();
  std::vector<std::future<Outcome>> answers;
  for (float i = 0; i < 5; ++i) answers.push_back(client.submit(scheduler, {i, i}));
  gate.unlock();
  for (auto& answer : answers) answer.wait();
  EXPECT_EQ(model->runs(), 5);
}

TEST(Scheduler, KeepsRequestsOfOtherShapesApart) {
  const auto model = std::make_shared<SumModel>(std::vector<int64_t>{-1, -1});
  Scheduler scheduler(model);
  Client client;
  auto gate = model->hold();
  auto running = client.submit(scheduler, {0, 0});
  wait_until([&] { return scheduler.counters().queued_requests == 0; });
  auto narrow = client.submit(scheduler, {1, 1});
  Request wide = client.request(std::array{1.f, 2.f, 3.f, 4.f});
  wide.inputs = {float_tensor({1, 4}, std::array{1.f, 2.f, 3.f, 4.f})};
  wide.rows = count_rows(*model, wide.inputs);
  auto wide_answer = client.promises.back().get_future();
  EXPECT_EQ(scheduler.submit(wide), Admission::kAccepted);
  gate.unlock();
  EXPECT_EQ(sums(narrow.get()), (std::vector<float>{2}));
  EXPECT_EQ(sums(wide_answer.get()), (std::vector<float>{10}));
  EXPECT_EQ(model->runs(), 3);
}

TEST(Scheduler, ServesManyThreadsWithSeveralRunners) {
  const auto model = std::make_shared<SumModel>();
  Scheduler scheduler(model, {.runners = 2});
  std::vector<std::jthread> clients;
  for (int c = 0; c < 4; ++c) {
    clients.emplace_back([&scheduler, c] {
      Client client;
      for (int i = 0; i < 200; ++i) {
        const auto value = static_cast<float>(c * 1000 + i);
        EXPECT_EQ(sums(client.submit(scheduler, {value, 1}).get()), (std::vector<float>{value + 1}));
      }
    });
  }
  clients.clear();
  EXPECT_EQ(scheduler.counters().requests, 800u);
}

TEST(CountRows, RefusesNone) {
  const SumModel model;
  const std::vector<Tensor> none{float_tensor({0, 2}, {})};
  EXPECT_THROW(count_rows(model, none), ModelError);
  const std::vector<Tensor> three{float_tensor({3, 2}, std::vector<float>(6))};
  EXPECT_EQ(count_rows(model, three), 3);
}

}  // namespace
}  // namespace sapwood::serve
