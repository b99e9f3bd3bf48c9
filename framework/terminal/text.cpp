#include "framework/terminal/text.h"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <limits>

namespace melgrad {
namespace {

constexpr size_t longest_line = 4000;  // bytes

unsigned char byte_at(std::string_view text, size_t i) { return static_cast<unsigned char>(text[i]); }

bool is_control(std::string_view character) {
  const unsigned char first = byte_at(character, 0);
  const bool second_set = character.size() == 2 && first == 0xC2 && byte_at(character, 1) < 0xA0;  // U+0080 to U+009F
  return first < 0x20 || first == 0x7F || second_set;
}

std::string escaped(std::string_view bytes) {
  if (bytes == "\n") return "\\n";
  if (bytes == "\t") return "\\t";
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) text += fmt::format("\\x{:02X}", byte_at(bytes, i));
  return text;
}

}  // namespace

size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const unsigned char first = byte_at(text, 0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  // The range of the second byte excludes overlong forms, surrogates and characters above U+10FFFF.
  const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte_at(text, 1) < low || byte_at(text, 1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte_at(text, i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string one_line(std::string_view text) {
  if (text.size() > longest_line) {
    return one_line(text.substr(0, longest_line / 2)) + " ... " + one_line(text.substr(text.size() - longest_line / 4));
  }
  std::string line;
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    const std::string_view character = text.substr(0, length == 0 ? 1 : length);
    line += length == 0 || is_control(character) ? escaped(character) : std::string(character);
    text.remove_prefix(character.size());
  }
  return line;
}

std::string shell_quoted(std::string_view text) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=.,:/@%";
  if (!text.empty() && text.find_first_not_of(plain) == std::string_view::npos) return std::string(text);
  std::string quoted = "'";
  for (const char letter : text) quoted += letter == '\'' ? std::string(R"('\'')") : std::string(1, letter);
  return quoted + "'";
}

std::string clock_time(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(std::min(seconds, 1e9)));
  const int64_t hours = whole / 3600, minutes = whole / 60 % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60)
                   : fmt::format("{}:{:02}", minutes, whole % 60);
}

std::string size_text(uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (value < 999.5e3) return fmt::format("{:.3g} kB", value / 1e3);
  if (value < 999.5e6) return fmt::format("{:.3g} MB", value / 1e6);
  if (value < 999.5e9) return fmt::format("{:.3g} GB", value / 1e9);
  return fmt::format("{:.0f} GB", value / 1e9);
}

double without_nan_sign(double value) { return std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value; }

}  // namespace melgrad
