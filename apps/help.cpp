#include "apps/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <utility>
#include <vector>

#include "apps/completion/command_doc.h"

namespace melgrad {
namespace {

constexpr size_t description_column = 30, narrowest_text = 30, command_column = 18;

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream words(text);
  return {std::istream_iterator<std::string>(words), {}};
}

// The words with spaces or line ends between them, so that lines are no longer than `width`.
std::string wrapped(const std::vector<std::string>& words, size_t width, const std::string& indent) {
  std::string lines;
  size_t used = 0;
  for (const std::string& word : words) {
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
  label("Positionals", "Arguments");
  label("SUBCOMMAND", "COMMAND");
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const {
  return replaced(CLI::Formatter::make_help(app, std::move(name), mode), "\n\n\n", "\n\n");
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  const size_t width = std::max(narrowest_text, columns_ - std::min(columns_, command_column));
  return fmt::format("  {:<{}}{}\n", command->get_name(), command_column - 2,
                     wrapped(words_of(command->get_description()), width, std::string(command_column, ' ')));
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  const OptionDoc doc = describe(*option);
  std::string name = replaced(option->get_name(is_positional, !is_positional), ",", ", ");
  if (!is_positional && !doc.value_name.empty()) name += " " + doc.value_name;
  const std::string indent(description_column, ' ');
  const size_t width = std::max(narrowest_text, columns_ - std::min(columns_, description_column));
  std::vector<std::string> words = words_of(doc.description);
  if (const std::string limits = doc.limits(is_positional); !limits.empty()) {
    const std::string whole = fmt::format("({})", limits);
    // The limits stay on one line if they fit.
    const std::vector<std::string> parts = whole.size() <= width ? std::vector{whole} : words_of(whole);
    words.insert(words.end(), parts.begin(), parts.end());
  }
  const std::string lines = wrapped(words, width, indent);
  const bool fits = name.size() + 4 <= description_column;
  return fits ? fmt::format("  {:<{}}{}\n", name, description_column - 2, lines)
              : fmt::format("  {}\n{}{}\n", name, indent, lines);
}

}  // namespace melgrad
