#include "apps/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "apps/completion/command_doc.h"

namespace melgrad {
namespace {

constexpr size_t description_column = 30, narrowest_text = 30;

// `text` with line ends between its words, so that no line is longer than `width`.
std::string wrapped(const std::string& text, size_t width, const std::string& indent) {
  std::string lines;
  size_t used = 0;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (used > 0 && used + 1 + word.size() > width) {
      lines += "\n" + indent;
      used = 0;
    }
    lines += (used > 0 ? " " : "") + word;
    used += (used > 0 ? 1 : 0) + word.size();
  }
  return lines;
}

}  // namespace

HelpFormatter::HelpFormatter(int columns) : columns_(static_cast<size_t>(std::max(columns, 1))) {
  column_width(description_column);
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  const OptionDoc doc = describe(*option);
  std::string name = replaced(option->get_name(is_positional, !is_positional), ",", ", ");
  if (!is_positional && !doc.value_name.empty()) name += " " + doc.value_name;
  const std::string limits = doc.limits(is_positional);
  const std::string text = doc.description + (limits.empty() ? "" : fmt::format(" ({})", limits));
  const std::string indent(description_column, ' ');
  const size_t width = std::max(narrowest_text, columns_ - std::min(columns_, description_column));
  const std::string lines = wrapped(text, width, indent);
  const bool fits = name.size() + 4 <= description_column;
  return fits ? fmt::format("  {:<{}}{}\n", name, description_column - 2, lines)
              : fmt::format("  {}\n{}{}\n", name, indent, lines);
}

}  // namespace melgrad
