// Checks the form of an HTML page that a program wrote.
#pragma once

#include <gtest/gtest.h>

#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace melgrad::test {

// The page without the content of its scripts and styles, which are not HTML.
inline std::string without_scripts_and_styles(std::string page) {
  for (const std::string name : {"script", "style"}) {
    for (size_t at = 0; (at = page.find("<" + name + ">", at)) != std::string::npos;) {
      const size_t end = page.find("</" + name + ">", at);
      if (end == std::string::npos) break;
      page.erase(at, end + name.size() + 3 - at);
    }
  }
  return page;
}

// True if `text` is a list of attributes, each after a blank: name, or name="value" without < and > in the value.
inline bool are_attributes(std::string_view text) {
  const auto is_name = [](char letter) {
    return std::isalpha(static_cast<unsigned char>(letter)) != 0 || letter == '-';
  };
  while (!text.empty()) {
    const size_t name = text.find_first_not_of(" \n");
    if (name == std::string_view::npos) return true;
    if (name == 0) return false;
    text.remove_prefix(name);
    size_t length = 0;
    while (length < text.size() && is_name(text[length])) ++length;
    if (length == 0) return false;
    text.remove_prefix(length);
    if (!text.starts_with("=")) continue;
    if (!text.starts_with("=\"")) return false;
    const size_t end = text.find('"', 2);
    if (end == std::string_view::npos || text.substr(0, end).find_first_of("<>") != std::string_view::npos)
      return false;
    text.remove_prefix(end + 1);
  }
  return true;
}

// Expects every element to be closed in the right order, every attribute value to be quoted, and no text to contain
// "<" outside of tags. Skips scripts and styles.
inline void expect_well_formed(const std::string& text) {
  const std::string page = without_scripts_and_styles(text);
  const std::set<std::string, std::less<>> without_end{"meta", "link", "input", "br", "!DOCTYPE"};
  std::vector<std::string> open;
  for (size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
    const size_t end = page.find('>', at);
    ASSERT_NE(end, std::string::npos);
    std::string_view tag = std::string_view(page).substr(at + 1, end - at - 1);
    const bool closes = tag.starts_with("/"), is_empty = tag.ends_with("/");
    if (closes) tag.remove_prefix(1);
    if (is_empty) tag.remove_suffix(1);
    const std::string_view name = tag.substr(0, tag.find_first_of(" \n"));
    ASSERT_FALSE(name.empty()) << page.substr(at, 200);
    ASSERT_TRUE(are_attributes(tag.substr(name.size()))) << page.substr(at, 200);
    if (is_empty || without_end.contains(name)) continue;
    if (!closes) {
      open.emplace_back(name);
    } else {
      ASSERT_FALSE(open.empty()) << tag;
      ASSERT_EQ(open.back(), name) << page.substr(at > 200 ? at - 200 : 0, 400);
      open.pop_back();
    }
  }
  EXPECT_TRUE(open.empty()) << open.size() << " elements are not closed, the last is " << open.back();
}

}  // namespace melgrad::test
