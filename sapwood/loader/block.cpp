#include "sapwood/loader/block.h"

#include <algorithm>

#include "sapwood/loader/make_batches.h"

namespace sapwood {

RowPlace Block::place(size_t row) const {
  auto run = runs.begin();
  for (; row >= run->end - run->begin; ++run) row -= run->end - run->begin;
  return run->bucket->place(run->begin + row);
}

void Block::make_batches(const EpochPlan& plan, const std::shared_ptr<MemoryPool>& pool) {
  std::vector<const std::byte*> of_rows(static_cast<size_t>(rows));
  size_t filled = 0;
  for (const RowRun& run : runs) {
    run.bucket->rows(run.begin, run.end, of_rows.data() + filled);
    filled += run.end - run.begin;
  }
  std::vector<int64_t> batch_rows;
  for (int64_t left = rows; left > 0; left -= batch_rows.back()) {
    int64_t most = plan.batch_size;
    if (plan.batches) most = plan.batches->rows_of(first_batch + std::ssize(batch_rows), most);
    batch_rows.push_back(std::min(most, left));
  }
  batches = sapwood::make_batches(*plan.format, of_rows, batch_rows, pool);
  int64_t end = 0;
  for (size_t b = 0; b < batches.size(); ++b) {
    Batch& batch = batches[b];
    batch.number = first_batch + static_cast<int64_t>(b);
    end += batch.rows;
    batch.last_row = place(static_cast<size_t>(end) - 1);
    for (const Buffer& tensor : batch.tensors) bytes += tensor.size();
  }
  runs.clear();
}

BlockCutter::BlockCutter(const EpochPlan& plan, int64_t block_rows) : plan_(plan), block_rows_(block_rows) {
  if (plan.batches)
    uncut_rows_ = plan.batches->rows - plan.batches->rows_before(plan.first_batch, plan.batch_size);
}

void BlockCutter::add(std::shared_ptr<SortedBucket> bucket) {
  const size_t size = bucket->size();
  if (size == 0) return;
  size_t delivered = 0;
  if (plan_.may_repeat()) {
    delivered = bucket->rows_up_to(plan_.after);
    last_ = bucket;
  }
  if (delivered == size) return;
  num_rows_ += static_cast<int64_t>(size - delivered);
  rows_.push_back({std::move(bucket), delivered, size});
}

int64_t BlockCutter::missing_rows() const {
  return plan_.batches ? std::max<int64_t>(uncut_rows_ - num_rows_, 0) : 0;
}

bool BlockCutter::repeat_rows() {
  if (!last_) return false;
  while (missing_rows() > 0) {
    const auto count = std::min(static_cast<size_t>(missing_rows()), last_->size());
    rows_.push_back({last_, 0, count});
    num_rows_ += static_cast<int64_t>(count);
  }
  return true;
}

void BlockCutter::cut(bool last, std::deque<Block>& blocks) {
  while (num_rows_ >= block_rows_ || (last && num_rows_ > 0)) {
    int64_t rows = std::min({num_rows_, block_rows_, uncut_rows_});
    if (rows < block_rows_ && plan_.drop_remainder) rows -= rows % plan_.batch_size;
    if (rows == 0) break;
    Block& block = blocks.emplace_back();
    block.number = blocks_++;
    block.rows = rows;
    block.first_batch = plan_.first_batch + block.number * (block_rows_ / plan_.batch_size);
    num_rows_ -= rows;
    uncut_rows_ -= rows;
    while (rows > 0) {
      RowRun& front = rows_.front();
      const size_t taken = std::min(static_cast<size_t>(rows), front.end - front.begin);
      block.runs.push_back({front.bucket, front.begin, front.begin + taken});
      front.begin += taken;
      rows -= static_cast<int64_t>(taken);
      if (front.begin == front.end) rows_.pop_front();
    }
  }
  if (!last) return;
  rows_.clear();  // the remainder that is dropped
  num_rows_ = 0;
}

}  // namespace sapwood
