#include "sapwood/column/parse_type.h"

#include <gtest/gtest.h>

#include <string>

#include "sapwood/base/error.h"
#include "sapwood/column/test_columns.h"

namespace sapwood {
namespace {

TEST(ParseType, TakesBackWhatIsWritten) {
  for (const auto& [name, column] : one_column_of_each_kind()) {
    EXPECT_EQ(parse_type(column.type.to_string()), column.type) << name;
  }
  const Type nested =
      Type::fixed_list(Type::fixed_list(Type::list(Type::fixed_list(TypeKind::kFloat32, 4)), 3), 2);
  EXPECT_EQ(parse_type(nested.to_string()), nested);
  EXPECT_EQ(parse_type("struct<>"), Type::structure({}));
}

TEST(ParseType, RefusesOtherTexts) {
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "list<";
  for (const std::string text : {"", "float", "float32 ", "int32[", "int32[-1]", "int32[3",
                                 "int32[99999999999999999999]", "list<int8", "list<int8>>", "struct<a int8>",
                                 "struct<a: int8", "struct<a: int8, >", "int8[65536][65536]", deep.c_str()}) {
    EXPECT_THROW(parse_type(text), ConfigError) << text.substr(0, 40);
  }
}

}  // namespace
}  // namespace sapwood
