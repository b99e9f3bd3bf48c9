#include "framework/io/csv.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/errors.h"

namespace melgrad::test {
namespace {

using Names = std::vector<std::string>;

TEST(Csv, ReadsQuotesLineEndsAndMarks) {
  const auto rows = parse_csv(
      "\xEF\xBB\xBF"
      "a,b\r\n\"x, \"\"y\"\"\nz\",\n\r\n\"\",last",
      "t.csv");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].fields, (Names{"a", "b"}));
  EXPECT_EQ(rows[1].fields, (Names{"x, \"y\"\nz", ""}));
  EXPECT_EQ(rows[1].line, 2u);
  EXPECT_EQ(rows[2].fields, (Names{"", "last"}));
  EXPECT_EQ(rows[2].line, 5u);
  EXPECT_TRUE(parse_csv("", "t.csv").empty());
}

TEST(Csv, NamesTheLineOfAnError) {
  expect_error([] { parse_csv("a\n\"b\nc", "t.csv"); }, "t.csv:2: a quote is opened");
  expect_error([] { parse_csv("a\n\n\"b\"c\n", "t.csv"); }, "t.csv:3: text follows");
  expect_error(
      [] {
        parse_csv(
            "\xFF\xFE"
            "a",
            "t.csv");
      },
      "UTF-16");
}

}  // namespace
}  // namespace melgrad::test
