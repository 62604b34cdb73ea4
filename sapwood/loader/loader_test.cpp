#include "sapwood/loader/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <thread>

#include "sapwood/base/error.h"

namespace sapwood {
namespace {

const std::string kJets = std::string(SAPWOOD_TEST_DATA) + "/../../examples/data/";

std::shared_ptr<const Dataset> jets() {
  return sapwood::open({{"QCD", {kJets + "QCD_*.root"}, {}}, {"top", {kJets + "Tbqq_*.root"}, {}}});
}

LoaderOptions options() {
  LoaderOptions options;
  options.features = {
      {{.name = "part", .variables = {"part_px", "part_py"}, .pad = 64},
       {.name = "jet", .variables = {"jet_pt", "jet_eta"}},
       {.name = "label", .variables = {"sample_label"}, .dtype = DType::kInt64, .squeeze = true}}};
  options.batch_size = 100;
  options.seed = 11;
  options.buffer_rows = 700;
  return options;
}

// All bytes of an epoch's tensors, tensor by tensor.
std::vector<std::vector<std::byte>> epoch_bytes(const Loader& loader, uint64_t number) {
  std::vector<std::vector<std::byte>> bytes(loader.tensors().size());
  const auto stream = loader.epoch(number);
  int64_t batches = 0;
  int64_t rows = 0;
  while (const auto batch = stream->next()) {
    EXPECT_EQ(batch->number, batches++);
    rows += batch->rows;
    for (size_t t = 0; t < bytes.size(); ++t) {
      const Buffer& tensor = batch->tensors[t];
      bytes[t].insert(bytes[t].end(), tensor.data(), tensor.data() + tensor.size());
    }
  }
  EXPECT_EQ(batches, loader.num_batches());
  EXPECT_EQ(rows, loader.num_rows());
  return bytes;
}

std::multimap<std::pair<float, float>, size_t> rows_of(const std::vector<std::byte>& pairs) {
  std::multimap<std::pair<float, float>, size_t> rows;
  for (size_t i = 0; i < pairs.size() / 8; ++i) {
    std::pair<float, float> row;
    std::memcpy(&row.first, pairs.data() + i * 8, 4);
    std::memcpy(&row.second, pairs.data() + i * 8 + 4, 4);
    rows.emplace(row, i);
  }
  return rows;
}

TEST(Loader, GivesEveryRowOnce) {
  const auto dataset = jets();
  const Loader loader(dataset, options());
  EXPECT_GT(loader.explain().buffer_rows, 0);
  const auto bytes = epoch_bytes(loader, 0);
  const auto columns = dataset->arrays({"jet_pt", "jet_eta"});
  const auto rows = rows_of(bytes[2]);
  ASSERT_EQ(rows.size(), static_cast<size_t>(dataset->num_entries()));
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::pair row{columns[0].values.as<float>()[i], columns[1].values.as<float>()[i]};
    ASSERT_EQ(rows.count(row), 1u) << "entry " << i;
  }
}

TEST(Loader, BalancesClassesTheSameOnAnyNumberOfThreads) {
  const auto dataset = jets();
  const Balance balance{.fractions = {{"QCD", 0.25}, {"top", 0.75}},
                        .bins = {{"jet_pt", {500, 600, 700, 1000}}},
                        .rows = 4000,
                        .most_copies = 3};
  std::vector<std::vector<std::byte>> first;
  for (const size_t threads : {1u, 4u}) {
    LoaderOptions with = options();
    with.threads = threads;
    const Loader loader = Loader(dataset, with).split({0.8, 0.2})[0].balance(balance);
    EXPECT_EQ(loader.num_rows(), 4000);
    for (const uint64_t epoch : {0u, 1u}) {
      const auto bytes = epoch_bytes(loader, epoch);
      std::array<int64_t, 2> counts{};
      for (size_t row = 0; row < bytes.back().size() / 8; ++row) {
        int64_t label = 0;
        std::memcpy(&label, bytes.back().data() + row * 8, 8);
        ++counts.at(static_cast<size_t>(label));
      }
      EXPECT_EQ(counts, (std::array<int64_t, 2>{1000, 3000}));
      if (epoch == 1 && threads == 1) first = bytes;
      if (epoch == 1) {
        EXPECT_EQ(bytes, first);
      }
    }
    EXPECT_THROW(loader.balance({}), ConfigError);
  }
}

TEST(Loader, SameBitsForAnyNumberOfThreads) {
  LoaderOptions wanted = options();
  wanted.threads = 1;
  const auto expected = epoch_bytes(Loader(jets(), wanted), 3);
  for (const size_t threads : {2, 4, 8}) {
    for (const uint64_t megabytes : {12, 25, 100}) {
      wanted.threads = threads;
      wanted.memory = megabytes << 20;
      EXPECT_EQ(epoch_bytes(Loader(jets(), wanted), 3), expected) << threads << " threads, " << megabytes;
    }
  }
  wanted.seed = 12;
  EXPECT_NE(epoch_bytes(Loader(jets(), wanted), 3), expected);
}

// Units that wait for the window while several workers stage others.
TEST(Loader, ManyThreadsWithAWindowOfFewRows) {
  LoaderOptions wanted = options();
  wanted.features.groups.erase(wanted.features.groups.begin());
  wanted.threads = 8;
  wanted.buffer_rows = 500;
  const Loader loader(jets(), wanted);
  for (uint64_t epoch = 0; epoch < 100; ++epoch) epoch_bytes(loader, epoch);
}

TEST(Loader, OrderDiffersFromEpochToEpoch) {
  const Loader loader(jets(), options());
  EXPECT_NE(epoch_bytes(loader, 0), epoch_bytes(loader, 1));
  EXPECT_EQ(epoch_bytes(loader, 1), epoch_bytes(loader, 1));
}

TEST(Loader, FollowsTheFilesWhenNotShuffled) {
  LoaderOptions wanted = options();
  wanted.shuffle = false;
  const auto dataset = jets();
  const auto bytes = epoch_bytes(Loader(dataset, wanted), 0);
  const auto pt = dataset->arrays({"jet_pt"}).front();
  for (int64_t i = 0; i < dataset->num_entries(); ++i) {
    float value = 0;
    std::memcpy(&value, bytes[2].data() + i * 8, 4);
    ASSERT_EQ(value, pt.values.as<float>()[static_cast<size_t>(i)]);
  }
}

TEST(Loader, ComputesFormulasWithinItsMemory) {
  LoaderOptions wanted = options();
  wanted.shuffle = false;
  wanted.features.groups[0].variables = {
      "part_px * part_px", {"scaled", "part_px / jet_pt", {{Transform::Kind::kStandard, 0.5, 3}}}};
  wanted.features.groups[1].variables = {"jet_pt - jet_eta", {"pt", "jet_pt", {{Transform::Kind::kLog}}}};
  const auto dataset = jets();
  const Loader loader(dataset, wanted);
  const auto bytes = epoch_bytes(loader, 0);
  const auto columns = dataset->arrays({"jet_pt", "jet_eta", "part_px"});
  const auto pt = columns[0].values.as<float>();
  const auto offsets = columns[2].offset_span();
  const auto px = columns[2].item().values.as<float>();
  for (size_t i = 0; i < pt.size(); ++i) {
    std::array<float, 2> jet{};
    std::memcpy(jet.data(), bytes[2].data() + i * sizeof(jet), sizeof(jet));
    ASSERT_EQ(jet[0], pt[i] - columns[1].values.as<float>()[i]);
    ASSERT_EQ(jet[1], static_cast<float>(std::log(static_cast<double>(pt[i]))));
    std::array<float, 2 * 64> part{};
    std::memcpy(part.data(), bytes[0].data() + i * sizeof(part), sizeof(part));
    const auto count = static_cast<size_t>(offsets[i + 1] - offsets[i]);
    for (size_t k = 0; k < 64; ++k) {
      const float x = k < count ? px[static_cast<size_t>(offsets[i]) + k] : 0;
      ASSERT_EQ(part[k], x * x);
      const double share = x / pt[i];
      ASSERT_EQ(part[64 + k], k < count ? static_cast<float>((share - 0.5) / 3) : 0);
    }
  }
  const auto stream = loader.epoch(0);
  while (stream->next()) {
  }
  EXPECT_LE(stream->stats().peak_bytes, wanted.memory);
}

TEST(Loader, PartsOfASplitAreDisjointAndComplete) {
  const Loader loader(jets(), options());
  for (const bool order : {false, true}) {
    const auto parts = loader.split({0.7, 0.2, 0.1}, {.order = order});
    std::set<std::pair<float, float>> seen;
    int64_t rows = 0;
    for (const Loader& part : parts) {
      rows += part.num_rows();
      for (const auto& [row, place] : rows_of(epoch_bytes(part, 0)[2])) seen.insert(row);
    }
    EXPECT_EQ(rows, loader.num_rows());
    EXPECT_EQ(seen.size(), static_cast<size_t>(rows));  // each row is unique, so none came twice
    EXPECT_NEAR(static_cast<double>(parts[1].num_rows()), 0.2 * static_cast<double>(rows), 2);
  }
  EXPECT_THROW(loader.split({0.7, 0.7}), ConfigError);
  EXPECT_THROW(loader.split({}), ConfigError);
}

TEST(Loader, DropsTheRemainderWhenAsked) {
  LoaderOptions wanted = options();
  wanted.batch_size = 777;
  wanted.drop_remainder = true;
  const Loader loader(jets(), wanted);
  const auto stream = loader.epoch(0);
  int64_t batches = 0;
  while (const auto batch = stream->next()) {
    EXPECT_EQ(batch->rows, 777);
    ++batches;
  }
  EXPECT_EQ(batches, loader.num_rows() / 777);
}

TEST(Loader, StopsHalfWay) {
  const Loader loader(jets(), options());
  auto stream = loader.epoch(0);
  const auto kept = stream->next();
  ASSERT_TRUE(kept);
  stream.reset();
  EXPECT_GT(kept->tensors[0].size(), 0u);  // delivered batches outlive their stream

  stream = loader.epoch(0);
  const std::jthread canceller([&] { stream->cancel(); });
  EXPECT_THROW(
      {
        while (stream->next()) {
        }
        throw CancelledError("all were ready before");
      },
      CancelledError);
}

// Batches of an epoch, each with all its tensors in one piece.
std::vector<std::vector<std::byte>> batch_bytes(BatchStream& stream, int64_t first = 0) {
  std::vector<std::vector<std::byte>> batches;
  while (const auto batch = stream.next()) {
    EXPECT_EQ(batch->number, first + static_cast<int64_t>(batches.size()));
    std::vector<std::byte> bytes;
    for (const Buffer& tensor : batch->tensors)
      bytes.insert(bytes.end(), tensor.data(), tensor.data() + tensor.size());
    batches.push_back(std::move(bytes));
  }
  return batches;
}

TEST(Loader, GoesOnAfterAnyBatch) {
  for (const int64_t buffer_rows : {50, 700, 100'000}) {
    for (const bool shuffle : {true, false}) {
      LoaderOptions wanted = options();
      wanted.buffer_rows = buffer_rows;
      wanted.shuffle = shuffle;
      wanted.batch_size = 160;
      const Loader whole(jets(), wanted);
      const Loader loader = whole.split({0.6, 0.4}).front();
      const auto expected = batch_bytes(*loader.epoch(2));
      std::vector<LoaderState> states{loader.state(2)};
      const auto stream = loader.epoch(2);
      while (const auto batch = stream->next()) states.push_back(loader.state(2).after(*batch));
      ASSERT_EQ(states.size(), expected.size() + 1);
      LoaderOptions elsewhere = wanted;
      elsewhere.threads = 8;
      elsewhere.memory = uint64_t{200} << 20;
      const Loader other = Loader(jets(), elsewhere).split({0.6, 0.4}).front();
      for (const LoaderState& state : states) {
        const auto rest = batch_bytes(*other.with_order_of(state).resume(state), state.batches);
        ASSERT_EQ(rest, std::vector(expected.begin() + state.batches, expected.end()))
            << "after " << state.batches << " batches, buffer of " << buffer_rows;
      }
    }
  }
}

LoaderOptions packed_options() {
  LoaderOptions wanted = options();
  wanted.features.groups[0].pad = 0;
  wanted.features.groups[0].layout = Layout::kPacked;
  wanted.features.groups[0].dtype = DType::kFloat16;
  return wanted;
}

TEST(Loader, PacksTheValuesOfEachBatch) {
  LoaderOptions wanted = options();
  wanted.features.groups[0].layout = Layout::kPacked;  // cut at 64
  for (const size_t threads : {1, 3}) {
    wanted.threads = threads;
    const auto dataset = jets();
    const Loader loader(dataset, wanted);
    LoaderOptions padded = wanted;
    padded.features.groups[0].layout = Layout::kChannelsLast;
    const auto same = Loader(dataset, padded).epoch(1);
    const auto stream = loader.epoch(1);
    while (const auto batch = stream->next()) {
      const auto other = same->next();
      ASSERT_TRUE(other);
      const auto values = batch->tensors[0].as<float>();
      const auto offsets = batch->tensors[1].as<int32_t>();
      const auto rows = other->tensors[0].as<float>();
      const auto mask = other->tensors[1].as<uint8_t>();
      ASSERT_EQ(offsets.size(), static_cast<size_t>(batch->rows) + 1);
      ASSERT_EQ(offsets[0], 0);
      int32_t longest = 0;
      for (size_t i = 0; i + 1 < offsets.size(); ++i) {
        const auto first = static_cast<size_t>(offsets[i]);
        const size_t count = static_cast<size_t>(offsets[i + 1]) - first;
        ASSERT_EQ(std::ranges::count(mask.subspan(64 * i, 64), 1), count);
        ASSERT_TRUE(
            std::ranges::equal(values.subspan(2 * first, 2 * count), rows.subspan(128 * i, 2 * count)));
        longest = std::max(longest, static_cast<int32_t>(count));
      }
      ASSERT_EQ(values.size(), 2 * static_cast<size_t>(offsets.back()));
      ASSERT_EQ(batch->tensors[2].as<int32_t>()[0], longest);
      for (size_t t = 3; t < batch->tensors.size(); ++t) {
        ASSERT_TRUE(std::ranges::equal(batch->tensors[t].as<uint8_t>(), other->tensors[t - 1].as<uint8_t>()));
      }
    }
    EXPECT_FALSE(same->next());
  }
}

TEST(Loader, GoesOnAfterAnyPackedBatch) {
  const Loader loader(jets(), packed_options());
  const auto expected = batch_bytes(*loader.epoch(0));
  const auto stream = loader.epoch(0);
  LoaderOptions elsewhere = packed_options();
  elsewhere.threads = 3;
  const Loader other(jets(), elsewhere);
  while (const auto batch = stream->next()) {
    if (batch->number % 7 != 0) continue;
    const LoaderState state = loader.state(0).after(*batch);
    ASSERT_EQ(batch_bytes(*other.resume(state), state.batches),
              std::vector(expected.begin() + state.batches, expected.end()));
  }
}

TEST(Loader, ReadsOnlyAWindowAgainToGoOn) {
  LoaderOptions wanted = options();
  wanted.buffer_rows = 100;
  const Loader loader(jets(), wanted);
  const auto stream = loader.epoch(0);
  std::optional<LoaderState> late;
  while (const auto batch = stream->next()) {
    if (batch->number == loader.num_batches() - 3) late = loader.state(0).after(*batch);
  }
  const auto rest = loader.resume(*late);
  EXPECT_EQ(batch_bytes(*rest, late->batches).size(), 2u);
  EXPECT_LT(rest->stats().stored_bytes, stream->stats().stored_bytes / 2);
}

// The rows of batches, as (jet_pt, jet_eta).
int64_t add_rows(BatchStream& stream, int64_t most_batches, std::multiset<std::pair<float, float>>& rows) {
  for (int64_t b = 0; b < most_batches; ++b) {
    const auto batch = stream.next();
    if (!batch) return b;
    const Buffer& pairs = batch->tensors[2];
    for (const auto& [row, place] : rows_of({pairs.data(), pairs.data() + pairs.size()})) rows.insert(row);
  }
  return most_batches;
}

TEST(Loader, RanksShareTheRowsAlsoAfterRestartsWithOthers) {
  const Loader whole(jets(), options());
  std::multiset<std::pair<float, float>> expected;
  add_rows(*whole.epoch(0), INT64_MAX, expected);
  for (const bool shuffle : {true, false}) {
    std::multiset<std::pair<float, float>> rows;
    LoaderOptions wanted = options();
    wanted.shuffle = shuffle;
    LoaderState state;
    for (const auto& [ranks, batch_size, batches] :
         {std::array<int64_t, 3>{3, 100, 2}, {8, 25, 3}, {8, 25, 1}, {1, 100, 4}, {2, 50, INT64_MAX}}) {
      std::set<int64_t> counts;
      LoaderState next;
      for (int64_t rank = 0; rank < ranks; ++rank) {
        wanted.rank = rank;
        wanted.world_size = ranks;
        wanted.batch_size = batch_size;
        const Loader loader(jets(), wanted);
        if (state.batch_size == 0) state = loader.state(5);
        const LoaderState own = loader.adopt(state);
        const auto stream = loader.resume(state);
        const size_t before = rows.size();
        if (batches == INT64_MAX) {
          counts.insert(add_rows(*stream, batches, rows));
        } else {
          add_rows(*stream, batches - 1, rows);
          const auto last = stream->next();
          ASSERT_TRUE(last);
          next = own.after(*last);
          const Buffer& pairs = last->tensors[2];
          for (const auto& [row, place] : rows_of({pairs.data(), pairs.data() + pairs.size()}))
            rows.insert(row);
          ASSERT_EQ(rows.size() - before, static_cast<size_t>(batches * batch_size));
        }
      }
      ASSERT_LE(counts.size(), 1u) << ranks << " ranks";
      state = next;  // of the last rank, for all
    }
    ASSERT_EQ(rows, expected);
  }
}

TEST(Loader, WorkersOfARankAreRanksOfTheirOwn) {
  LoaderOptions wanted = options();
  wanted.rank = 1;
  wanted.world_size = 2;
  const Loader loader(jets(), wanted);
  wanted.rank = 5;
  wanted.world_size = 6;
  wanted.buffer_rows = *wanted.buffer_rows / 3;
  EXPECT_EQ(batch_bytes(*loader.share(2, 3).epoch(0)), batch_bytes(*Loader(jets(), wanted).epoch(0)));
  EXPECT_THROW(loader.share(3, 3), ConfigError);
}

TEST(Loader, AnotherShuffleBufferInAStateKeepsTheMemoryBound) {
  LoaderOptions wanted = options();
  wanted.memory = uint64_t{8} << 20;
  wanted.buffer_rows.reset();
  const Loader large(jets(), wanted);
  wanted.buffer_rows = 100;
  const Loader small(jets(), wanted);
  const Loader adopted = small.with_order_of(large.state(0));
  EXPECT_EQ(adopted.explain().buffer_rows, large.explain().buffer_rows);
  EXPECT_EQ(adopted.explain().cache_bytes, large.explain().cache_bytes);
}

TEST(Loader, PartsOfPartsByValuesAreDrawnAnew) {
  const Loader whole(jets(), options());
  const SplitBy by{.values = {"jet_pt", "jet_eta"}};
  for (const Loader& part : whole.split({0.8, 0.2}, by)) {
    const auto halves = part.split({0.5, 0.5}, by);
    const auto rows = static_cast<double>(part.num_rows());
    EXPECT_EQ(halves[0].num_rows() + halves[1].num_rows(), part.num_rows());
    EXPECT_NEAR(static_cast<double>(halves[0].num_rows()), rows / 2, 4 * std::sqrt(rows));
    for (const auto& [train, val] : part.k_fold(4, by)) {
      EXPECT_EQ(train.num_rows() + val.num_rows(), part.num_rows());
      EXPECT_NEAR(static_cast<double>(val.num_rows()), rows / 4, 4 * std::sqrt(rows));
    }
  }
}

TEST(Loader, FoldsTakeTurnsInValidation) {
  const Loader whole(jets(), options());
  std::multiset<std::pair<float, float>> all;
  add_rows(*whole.epoch(0), INT64_MAX, all);
  std::multiset<std::pair<float, float>> validated;
  for (const auto& [train, val] : whole.k_fold(3)) {
    std::multiset<std::pair<float, float>> both;
    add_rows(*val.epoch(0), INT64_MAX, both);
    validated.insert(both.begin(), both.end());
    add_rows(*train.epoch(1), INT64_MAX, both);
    EXPECT_EQ(both, all);
    int64_t parts = 0;
    for (const Loader& part : train.split({0.7, 0.3})) parts += part.num_rows();
    EXPECT_EQ(parts, train.num_rows());
  }
  EXPECT_EQ(validated, all);
  EXPECT_THROW(whole.k_fold(1), ConfigError);
}

TEST(Loader, RefusesStatesOfOthers) {
  const Loader loader(jets(), options());
  const auto stream = loader.epoch(0);
  const LoaderState good = loader.state(0).after(*stream->next());
  const auto refuses = [&](const auto& change) {
    LoaderState state = good;
    change(state);
    EXPECT_THROW(loader.with_order_of(state).resume(state), ConfigError);
  };
  refuses([](LoaderState& state) { ++state.data; });
  refuses([](LoaderState& state) { ++state.features; });
  refuses([](LoaderState& state) { state.shuffle = false; });
  refuses([](LoaderState& state) { state.drop_remainder = true; });
  refuses([](LoaderState& state) { state.part.intervals = {{0, 0.5}}; });
  refuses([](LoaderState& state) { state.rank = 1; });
  refuses([](LoaderState& state) { state.world_size = 0; });
  refuses([](LoaderState& state) { state.closed = {{1, 0, 2}}; });
  refuses([](LoaderState& state) { state.closed.assign(kMostLegs, {2, 10, 1}); });
  refuses([](LoaderState& state) { state.batches = -1; });
  refuses([](LoaderState& state) { state.last_row.bucket = 1 << 20; });
  refuses([](LoaderState& state) { state.buffer_rows = 0; });
  LoaderState other_seed = good;
  other_seed.seed = 99;
  EXPECT_THROW(loader.resume(other_seed), ConfigError);
  EXPECT_EQ(loader.with_order_of(other_seed).seed(), 99u);
  EXPECT_THROW(loader.split({0.5, 0.5}).front().with_order_of(other_seed), ConfigError);
}

TEST(Loader, RefusesWhatCannotWork) {
  LoaderOptions wanted = options();
  wanted.batch_size = 0;
  EXPECT_THROW(Loader(jets(), wanted), ConfigError);
  wanted = options();
  wanted.memory = 1 << 20;
  EXPECT_THROW(Loader(jets(), wanted), ConfigError);
  wanted = options();
  wanted.features.groups[1].variables = {"part_px"};
  EXPECT_THROW(Loader(jets(), wanted), SchemaError);
}

}  // namespace
}  // namespace sapwood
