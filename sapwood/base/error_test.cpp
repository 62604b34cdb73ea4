#include "sapwood/base/error.h"

#include <gtest/gtest.h>

namespace sapwood {
namespace {

TEST(Error, CallersFillInWhatIsUnknown) {
  try {
    with_context({.file = "a.root", .column = "outer"}, [] {
      with_context({.column = "pt", .entries = EntryRange{10, 20}}, [] { throw FormatError("bad basket"); });
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.kind(), "FormatError");
    EXPECT_EQ(error.message(), "bad basket");
    EXPECT_EQ(error.context().file, "a.root");
    EXPECT_EQ(error.context().column, "pt");  // the inner one stays
    EXPECT_EQ(error.context().entries, (EntryRange{10, 20}));
    for (const char* part : {"bad basket", "a.root", "pt", "10", "20"}) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
}

TEST(Error, WithContextPassesResultsOn) {
  EXPECT_EQ(with_context({}, [] { return 7; }), 7);
}

}  // namespace
}  // namespace sapwood
