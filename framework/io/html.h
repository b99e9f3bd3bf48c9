// Untrusted text and binary data in HTML and SVG.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace melgrad {

// The text on one line (one_line) with & < > " ' as character references: safe in elements and quoted attributes.
std::string html_escaped(std::string_view text);

// RFC 4648, with padding.
std::string base64(std::string_view bytes);

// `file` as the value of an href or src attribute in a page in `folder`: a relative reference, percent-encoded (RFC
// 3986). It is relative so that a folder with the page and the files can be moved.
std::string relative_url(const std::filesystem::path& file, const std::filesystem::path& folder);

}  // namespace melgrad
