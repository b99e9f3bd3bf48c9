#include "framework/terminal/text.h"

#include <gtest/gtest.h>

#include <string>

namespace melgrad::test {
namespace {

using namespace std::string_literals;

TEST(Text, EscapesWhatCannotBePrinted) {
  EXPECT_EQ(one_line("música ♫ 𝄞"), "música ♫ 𝄞");
  EXPECT_EQ(one_line("a\nb\tc\x1B[2Jd\x7F\r"), "a\\nb\\tc\\x1B[2Jd\\x7F\\x0D");
  EXPECT_EQ(one_line("a\0b"s), "a\\x00b");
  EXPECT_EQ(one_line("\xC2\x9B"), "\\xC2\\x9B");  // CSI, the one-byte form of ESC [
  for (const char* broken : {"\xFF", "\xC0\xAF", "\xE2\x82", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80"}) {
    EXPECT_FALSE(is_utf8(broken));
    EXPECT_TRUE(is_utf8(one_line(broken)));
  }
  EXPECT_LT(one_line(std::string(1'000'000, 'x')).size(), 5000u);
}

TEST(Text, IsQuotedForAShellIfNecessary) {
  EXPECT_EQ(shell_quoted("runs/first-1.0+x=y"), "runs/first-1.0+x=y");
  EXPECT_EQ(shell_quoted("my music"), "'my music'");
  EXPECT_EQ(shell_quoted("$(rm *)`x`\"\\"), "'$(rm *)`x`\"\\'");
  EXPECT_EQ(shell_quoted("it's"), R"('it'\''s')");
  EXPECT_EQ(shell_quoted(""), "''");
}

TEST(Text, SizesHaveThreeDigits) {
  EXPECT_EQ(size_text(0), "0 kB");
  EXPECT_EQ(size_text(2183), "2.18 kB");
  EXPECT_EQ(size_text(999'499), "999 kB");
  EXPECT_EQ(size_text(999'600), "1 MB");
  EXPECT_EQ(size_text(345'000'000), "345 MB");
  EXPECT_EQ(size_text(999'600'000), "1 GB");
  EXPECT_EQ(size_text(1'234'500'000'000), "1234 GB");
}

}  // namespace
}  // namespace melgrad::test
