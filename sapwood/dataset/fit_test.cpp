#include "sapwood/dataset/fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sapwood/dataset/moments.h"

namespace sapwood {
namespace {

using Kind = Transform::Kind;

const std::string kJets = std::string(SAPWOOD_TEST_DATA) + "/../../examples/data/";

std::shared_ptr<const Dataset> jets() {
  return sapwood::open({{"QCD", {kJets + "QCD_*.root"}, {}}, {"top", {kJets + "Tbqq_*.root"}, {}}});
}

Transform unfitted(Kind kind) { return {.kind = kind, .fitted = false}; }

TEST(Moments, MergedPartsAreTheWhole) {
  Moments whole;
  Moments parts;
  for (int part = 0; part < 5; ++part) {
    std::vector<double> values;
    for (int i = 0; i < 100 * part + 3; ++i) values.push_back(1e6 + std::sin(i * part));
    values.push_back(std::nan(""));
    Moments one;
    std::vector<double> copy = values;
    one.add(copy);
    parts.merge(one);
    whole.add(values);
  }
  EXPECT_EQ(whole.nans, 5);
  EXPECT_EQ(parts.values, whole.values);
  EXPECT_EQ(parts.min, whole.min);
  EXPECT_NEAR(parts.mean, whole.mean, 1e-9);
  EXPECT_NEAR(parts.squares / whole.squares, 1, 1e-9);
}

TEST(Moments, EqualValuesHaveNoSpread) {
  Moments moments;
  for (const size_t count : {1000, 7, 64}) {
    std::vector<double> values(count, 0.1);
    moments.add(values);
  }
  EXPECT_EQ(moments.mean, 0.1);
  EXPECT_EQ(moments.squares, 0);
}

TEST(Moments, TakesHugeValues) {
  Moments moments;
  std::vector<double> values{1e200, 3e200};
  moments.add(values);
  EXPECT_EQ(moments.mean, 2e200);
  EXPECT_EQ(moments.values, 2);
}

TEST(Scan, AgreesWithAPlainLoop) {
  const auto dataset = jets();
  const auto columns = dataset->arrays({"jet_pt", "part_px"});
  const auto statistics = scan(*dataset, std::vector<std::string>{"jet_pt", "part_px", "sample_label"});
  for (size_t c = 0; c < 2; ++c) {
    const auto values = c == 0 ? columns[0].values.as<float>() : columns[1].item().values.as<float>();
    double sum = 0;
    for (const float value : values) sum += value;
    const double mean = sum / static_cast<double>(values.size());
    double squares = 0;
    for (const float value : values) squares += (value - mean) * (value - mean);
    const Statistics& found = statistics[c];
    EXPECT_EQ(found.entries, dataset->num_entries());
    EXPECT_EQ(found.values, static_cast<int64_t>(values.size()));
    EXPECT_EQ(found.nans, 0);
    EXPECT_EQ(found.min, *std::ranges::min_element(values));
    EXPECT_EQ(found.max, *std::ranges::max_element(values));
    EXPECT_NEAR(found.mean, mean, 1e-9 * std::abs(mean) + 1e-9);
    EXPECT_NEAR(found.standard_deviation, std::sqrt(squares / static_cast<double>(values.size())), 1e-9);
  }
  int64_t longest = 0;
  const auto offsets = columns[1].offset_span();
  for (size_t i = 1; i < offsets.size(); ++i) longest = std::max(longest, offsets[i] - offsets[i - 1]);
  EXPECT_EQ(statistics[0].max_multiplicity, 1);
  EXPECT_EQ(statistics[1].max_multiplicity, longest);
  EXPECT_EQ(statistics[2].max, 1);
}

TEST(Scan, SameBitsForAnyNumberOfThreads) {
  const auto dataset = jets();
  const std::vector<std::string> expressions{"part_px", "part_energy", "jet_pt"};
  const auto expected = scan(*dataset, expressions, {.threads = 1});
  for (const size_t threads : {2, 5}) {
    const auto found = scan(*dataset, expressions, {.threads = threads});
    for (size_t i = 0; i < expressions.size(); ++i) {
      EXPECT_EQ(found[i].mean, expected[i].mean);
      EXPECT_EQ(found[i].standard_deviation, expected[i].standard_deviation);
    }
  }
}

TEST(Scan, OfFormulas) {
  const auto statistics = scan(*jets(), std::vector<std::string>{"sum(part_energy) * 0 + 3", "part_px > 0"});
  EXPECT_EQ(statistics[0].mean, 3);
  EXPECT_EQ(statistics[0].standard_deviation, 0);
  EXPECT_EQ(statistics[1].min, 0);
  EXPECT_EQ(statistics[1].max, 1);
  EXPECT_GT(statistics[1].max_multiplicity, 1);
}

TEST(Scan, RefusesWhatHasNoNumbers) {
  EXPECT_THROW(scan(*jets(), std::vector<std::string>{"1 + 1"}), ConfigError);
  EXPECT_THROW(scan(*jets(), std::vector<std::string>{"jet_ptt"}), SchemaError);
  EXPECT_TRUE(scan(*jets(), std::vector<std::string>{}).empty());
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(scan(*jets(), std::vector<std::string>{"jet_pt"}, {.stop = stop.get_token()}), CancelledError);
}

TEST(Fit, LearnsWhatReachesTheTransform) {
  const auto dataset = jets();
  const FeatureSpec spec{
      {{.name = "part",
        .variables = {"part_px", {"e", "part_energy", {{Kind::kLog}, unfitted(Kind::kStandard)}}},
        .pad = FeatureGroup::kFitPad},
       {.name = "jet", .variables = {{"pt", "jet_pt", {unfitted(Kind::kMinMax), {Kind::kClip, 0, 0.5}}}}}}};
  EXPECT_FALSE(spec.is_fitted());
  const FeatureSpec fitted = fit(*dataset, spec);
  EXPECT_TRUE(fitted.is_fitted());
  const auto statistics = scan(*dataset, std::vector<std::string>{"jet_pt", "part_energy"});
  EXPECT_EQ(fitted.groups[0].pad, statistics[1].max_multiplicity);
  const Transform& pt = fitted.groups[1].variables[0].transforms[0];
  EXPECT_EQ(pt, (Transform{Kind::kMinMax, statistics[0].min, statistics[0].max}));
  const Column energies = dataset->arrays({"part_energy"}).front();
  double sum = 0;
  for (const float energy : energies.item().values.as<float>()) sum += std::log(static_cast<double>(energy));
  EXPECT_NEAR(fitted.groups[0].variables[1].transforms[1].a,
              sum / static_cast<double>(energies.item().length), 1e-10);
  EXPECT_EQ(fit(*dataset, fitted), fitted);

  FeatureSpec slotted{{{.name = "x", .variables = {"part_px"}}}};
  slotted.groups[0].variables[0].slots = Variable::kFitSlots;
  EXPECT_EQ(fit(*dataset, slotted).groups[0].variables[0].slots, statistics[1].max_multiplicity);
}

TEST(Fit, RefusesWhatCannotBeLearnt) {
  const auto with = [](std::vector<Transform> transforms) {
    return FeatureSpec{{{.name = "g", .variables = {{"pt", "jet_pt", std::move(transforms)}}}}};
  };
  const auto dataset = jets();
  EXPECT_THROW(fit(*dataset, with({unfitted(Kind::kStandard), unfitted(Kind::kMinMax)})), ConfigError);
  EXPECT_THROW(fit(*dataset, with({{Kind::kAffine, 0, 0}, {Kind::kLog}, unfitted(Kind::kMinMax)})),
               ConfigError);
  EXPECT_THROW(fit(*dataset, with({{Kind::kClip, -2, -1}, {Kind::kLog}, unfitted(Kind::kStandard)})),
               ConfigError);
}

}  // namespace
}  // namespace sapwood
