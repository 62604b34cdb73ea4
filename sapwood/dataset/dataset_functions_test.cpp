#include <gtest/gtest.h>

#include <string>

#include "sapwood/base/error.h"
#include "sapwood/dataset/dataset.h"

namespace sapwood {
namespace {

class Halved : public UserFunction {
 public:
  const std::string& name() const override { return name_; }
  bool is_elementwise() const override { return true; }
  Type result_type(std::span<const Type> arguments) const override {
    if (arguments.size() != 1 || arguments[0].kind != TypeKind::kFloat32)
      throw ConfigError("halved takes a float32");
    return TypeKind::kFloat32;
  }
  Column call(std::span<const Column> arguments, int64_t length,
              const std::shared_ptr<MemoryPool>& pool) const override {
    Column result = make_fixed_width_column(TypeKind::kFloat32, length, pool);
    const auto values = arguments[0].values.as<const float>();
    for (size_t i = 0; i < values.size(); ++i) result.values.as<float>()[i] = values[i] / 2;
    return result;
  }

 private:
  std::string name_ = "halved";
};

TEST(Dataset, FormulasCallFunctionsOfUsers) {
  const auto jets = open({std::string(SAPWOOD_TEST_DATA) + "/../../examples/data/QCD_*.root"})
                        ->limit(500)
                        ->with_function(std::make_shared<Halved>());
  const auto halved = jets->define("half", "halved(part_px)")->filter("halved(jet_pt) > 300");
  const auto expected = jets->filter("jet_pt / 2 > 300");
  const Column given = halved->arrays({"half"}).front();
  EXPECT_GT(given.length, 0);
  EXPECT_TRUE(identical(given, expected->arrays({"0.5 * part_px"}).front()));
  EXPECT_THROW(jets->with_function(std::make_shared<Halved>()), ConfigError);
}

}  // namespace
}  // namespace sapwood
