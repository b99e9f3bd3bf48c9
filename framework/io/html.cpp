#include "framework/io/html.h"

#include <fmt/format.h>

#include <cstdint>

#include "framework/terminal/text.h"

namespace melgrad {

std::string html_escaped(std::string_view text) {
  std::string escaped;
  for (const char letter : one_line(text)) {
    switch (letter) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += letter;
    }
  }
  return escaped;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t three = 0;
    for (size_t j = i; j < i + 3; ++j) three = three << 8 | (j < bytes.size() ? static_cast<uint8_t>(bytes[j]) : 0);
    const size_t given = std::min<size_t>(3, bytes.size() - i);
    for (size_t digit = 0; digit < 4; ++digit) {
      text += digit <= given ? digits[three >> (18 - 6 * digit) & 63] : '=';
    }
  }
  return text;
}

std::string relative_url(const std::filesystem::path& file, const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  const std::string path = fs::absolute(file)
                               .lexically_normal()
                               .lexically_relative(fs::absolute(folder).lexically_normal())
                               .generic_string();
  constexpr std::string_view unreserved = "-._~/";
  // Without ./ a first segment with a colon would be a scheme.
  std::string url = path.starts_with("../") ? "" : "./";
  for (const char byte : path) {
    const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
    url += letter || unreserved.find(byte) != std::string_view::npos
               ? std::string(1, byte)
               : fmt::format("%{:02X}", static_cast<unsigned char>(byte));
  }
  return url;
}

}  // namespace melgrad
