// Checks the form of an HTML page that a program wrote.
#pragma once

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>
#include <vector>

namespace melgrad::test {

// Expects every element to be closed in the right order, every attribute value to be quoted, and no text to contain
// "<" outside of tags. Scripts and styles are skipped.
inline void expect_well_formed(std::string page) {
  page = std::regex_replace(page, std::regex("<(script|style)>[^<]*(<(?!/\\1>)[^<]*)*</\\1>"), "");
  const std::set<std::string> without_end{"meta", "link", "input", "br", "!DOCTYPE"};
  const std::regex tag(R"(^<(/?)([!A-Za-z0-9]+)((\s+[A-Za-z-]+(="[^"<>]*")?)*)\s*(/?)>)");
  std::vector<std::string> open;
  for (size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
    std::smatch match;
    const size_t end = page.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string text = page.substr(at, end - at + 1);
    // The data of a picture is too long for a recursive matcher.
    const std::string short_text = std::regex_replace(text, std::regex("base64,[A-Za-z0-9+/=]{1,}"), "base64,");
    ASSERT_TRUE(std::regex_search(short_text, match, tag)) << text.substr(0, 200);
    const std::string name = match[2];
    if (without_end.contains(name) || match[6] == "/") continue;
    if (match[1] == "") {
      open.push_back(name);
    } else {
      ASSERT_FALSE(open.empty()) << text;
      ASSERT_EQ(open.back(), name) << page.substr(at > 200 ? at - 200 : 0, 400);
      open.pop_back();
    }
  }
  EXPECT_TRUE(open.empty()) << open.size() << " elements are not closed, the last is " << open.back();
}

}  // namespace melgrad::test
