#include <algorithm>

#include "sapwood/loader/loader_plan.h"

namespace sapwood {

LoaderState Loader::state(uint64_t number) const {
  if (number > UINT32_MAX) throw ConfigError(concat("epoch is ", number, ", must be below 2^32"));
  const LoaderPlan& plan = *plan_;
  LoaderState state;
  state.seed = seed();
  state.epoch = number;
  state.rank = plan.options.rank;
  state.world_size = plan.options.world_size;
  state.buffer_rows = plan.shuffled_rows();
  state.data = plan.data_hash();
  state.features = plan.features_hash();
  state.batch_size = plan.options.batch_size;
  state.shuffle = plan.options.shuffle;
  state.drop_remainder = plan.options.drop_remainder;
  state.part = plan.part;
  return state;
}

LoaderState LoaderState::after(const Batch& batch) const {
  LoaderState later = *this;
  later.batches = batch.number + 1;
  later.last_row = batch.last_row;
  return later;
}

// Throws unless the state is of this loader's data, features and options, whatever its seed and buffer rows.
void Loader::check(const LoaderState& theirs) const {
  const LoaderState ours = state(theirs.epoch);
  const auto require = [](const char* what, const auto& own, const auto& other) {
    if (own != other)
      throw ConfigError(
          concat("the state is of a loader with ", what, " ", other, ", where this one has ", own));
  };
  require("shuffle", ours.shuffle, theirs.shuffle);
  require("drop_remainder", ours.drop_remainder, theirs.drop_remainder);
  if (ours.features != theirs.features)
    throw ConfigError("the state is of a loader with other features, target or weights");
  if (ours.data != theirs.data)
    throw ConfigError(
        "the state is of a loader of other data: files, their entries, samples or balance differ");
  if (ours.part != theirs.part) throw ConfigError("the state is of another part of a split");
  const int64_t most = plan_->most_rows() + 1;
  const auto fits = [&](const Leg& leg) {
    return leg.world_size >= 1 && leg.world_size <= kMostRanks && leg.batch_size >= 1 &&
           leg.batch_size <= most && leg.batches >= 0 && leg.batches <= most && leg.world_size <= most;
  };
  const auto closes = [&](const Leg& leg) { return fits(leg) && leg.batches > 0; };
  if (!std::ranges::all_of(theirs.closed, closes) || theirs.closed.size() >= kMostLegs ||
      !fits({theirs.world_size, 1, theirs.batches}) || theirs.batch_size < 1 || theirs.rank < 0 ||
      theirs.rank >= theirs.world_size || theirs.buffer_rows < std::min<int64_t>(1, ours.buffer_rows) ||
      theirs.last_row.bucket < -1 || (theirs.batches == 0) != (theirs.last_row.bucket == -1))
    throw ConfigError("the state does not fit together: it was changed");
}

Loader Loader::with_order_of(const LoaderState& state) const {
  check(state);
  auto plan = std::make_shared<LoaderPlan>(LoaderSettings(*plan_));
  if (!plan->everything() && state.seed != seed()) {
    throw ConfigError(concat("the state is of seed ", state.seed,
                             ", and parts of a split must have one seed: "
                             "make the loader that is split with seed=",
                             state.seed));
  }
  plan->options.seed = state.seed;
  if (plan->shuffled_rows() != state.buffer_rows) {  // what is kept in memory besides has another size too
    plan->options.buffer_rows = state.buffer_rows;
    plan->fit_memory();
  }
  if (plan->shuffled_rows() != state.buffer_rows) {
    throw ConfigError(concat("the state's shuffle buffer has ", state.buffer_rows, " rows, but memory (",
                             plan->options.memory, " bytes) has room for about ", plan->buffer_rows));
  }
  return Loader(std::move(plan));
}

LoaderState Loader::adopt(const LoaderState& state) const {
  check(state);
  if (state.seed != seed() || state.buffer_rows != plan_->shuffled_rows())
    throw ConfigError(
        "the state is of another seed or other buffer rows: take the loader `with_order_of` it");
  const LoaderOptions& options = plan_->options;
  LoaderState own = state;
  own.rank = options.rank;
  own.world_size = options.world_size;
  own.batch_size = options.batch_size;
  const bool other = state.world_size != own.world_size || state.batch_size != own.batch_size;
  if (other && state.batches != 0) {
    if (state.closed.size() + 1 == kMostLegs)
      throw ConfigError(concat("the epoch was begun again with other ranks ", kMostLegs, " times"));
    const int64_t batch_rows = std::min(state.batch_size, plan_->most_rows() + 1);
    own.closed.push_back({state.world_size, batch_rows, state.batches});
    own.batches = 0;
  }
  if (own.batches == 0) {
    own.last_row = {};
  } else if (state.rank != own.rank) {
    const LegPlan leg = plan_->leg(own.epoch, own.closed, own.world_size);
    own.last_row = leg.place_after(own.rank, own.batches, plan_->batch_rows);
  }
  return own;
}

std::unique_ptr<BatchStream> Loader::resume(const LoaderState& state) const { return start(adopt(state)); }

}  // namespace sapwood
