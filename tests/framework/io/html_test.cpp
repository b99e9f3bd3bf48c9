#include "framework/io/html.h"

#include <gtest/gtest.h>

namespace melgrad::test {
namespace {

TEST(Html, TextCannotEndAnElementOrAnAttribute) {
  EXPECT_EQ(html_escaped("<script>alert('x')</script> & \"y\""),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;");
  EXPECT_EQ(html_escaped("línea\n\x1B[31m\xFF"), "línea\\n\\x1B[31m\\xFF");
}

// The test vectors of RFC 4648, section 10.
TEST(Html, Base64EqualsTheStandardsExamples) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xFF\xFE\x00"), "//4=");
  EXPECT_EQ(base64(std::string_view("\xFB\xF0\x00", 3)), "+/AA");
}

TEST(Html, UrlsAreRelativeAndPercentEncoded) {
  EXPECT_EQ(relative_url("/music/a b/ö?#.wav", "/music"), "./a%20b/%C3%B6%3F%23.wav");
  EXPECT_EQ(relative_url("/music/x.wav", "/reports/1"), "../../music/x.wav");
  EXPECT_EQ(relative_url("/music/javascript:alert(1).wav", "/music"), "./javascript%3Aalert%281%29.wav");
  EXPECT_EQ(relative_url("/m/\"><b>.wav", "/m"), "./%22%3E%3Cb%3E.wav");
}

}  // namespace
}  // namespace melgrad::test
