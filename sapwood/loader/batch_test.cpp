#include "sapwood/loader/batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ranges>

namespace sapwood {
namespace {

static_assert(std::input_iterator<BatchStream::Iterator>);
static_assert(std::ranges::input_range<BatchStream>);

// Batches whose memory `held` counts, then the end or an error.
class Numbered : public BatchStream {
 public:
  using BatchStream::next;
  Numbered(int64_t batches, bool fails = false) : batches_(batches), fails_(fails) {}
  Status next(Batch& batch, double) override {
    most_held = std::max(most_held, held.use_count() - 1);
    if (given == batches_ && fails_) throw FormatError("wrong");
    if (given == batches_) return Status::kEnd;
    batch = {.number = given++, .rows = 1, .tensors = {Buffer::wrap(&byte_, 1, held)}};
    return Status::kBatch;
  }
  void cancel() override {}
  LoaderStats stats() const override { return {}; }
  std::vector<SkippedRange> skipped() const override { return {}; }

  std::shared_ptr<int> held = std::make_shared<int>();
  int64_t most_held = 0;  // by others, when a batch was asked for
  int64_t given = 0;

 private:
  std::byte byte_{};
  int64_t batches_;
  bool fails_;
};

TEST(BatchStream, IsARangeOfItsBatches) {
  Numbered stream(3);
  std::vector<int64_t> numbers;
  for (const Batch& batch : stream) numbers.push_back(batch.number);
  EXPECT_EQ(numbers, (std::vector<int64_t>{0, 1, 2}));
  for (const Batch& batch : stream) ADD_FAILURE() << batch.number;
  EXPECT_EQ(stream.most_held, 0);

  Numbered none(0);
  EXPECT_EQ(none.begin(), none.end());
}

TEST(BatchStream, LoopsGoOnWhereOneWasLeft) {
  Numbered stream(5);
  for (const Batch& batch : stream) {
    if (batch.number == 1) break;
  }
  EXPECT_EQ(stream.next()->number, 2);
  std::vector<Batch> kept;
  for (const Batch& batch : stream | std::views::take(2)) kept.push_back(batch);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[1].number, 4);
  EXPECT_EQ(stream.held.use_count(), 3);
}

TEST(BatchStream, ErrorsLeaveTheLoop) {
  Numbered stream(2, true);
  int64_t batches = 0;
  const auto count = [&] {
    for (const Batch& batch : stream) batches += batch.rows;
  };
  EXPECT_THROW(count(), FormatError);
  EXPECT_EQ(batches, 2);
}

}  // namespace
}  // namespace sapwood
