#include "apps/arguments.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>

#include "kernels/device/error.h"

namespace melgrad {
namespace {

// Optimal string alignment distance: Levenshtein's with a swap of neighbours as one edit.
size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> before, previous, current(b.size() + 1);
  std::iota(current.begin(), current.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    before = previous;
    previous = current;
    current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) current[j] = std::min(current[j], before[j - 2] + 1);
    }
  }
  return current[b.size()];
}

std::optional<double> number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// The innermost parsed subcommand, or the program if none was given.
const CLI::App& parsed_command(const CLI::App& program) {
  const std::vector<CLI::App*> given = program.get_subcommands();
  return given.empty() ? program : parsed_command(*given.front());
}

std::vector<std::string> subcommand_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* inner : command.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(inner->get_name());
  }
  return names;
}

std::string refusal(const CLI::App& command, const std::string& argument) {
  if (argument.starts_with('-')) {
    const std::string name = argument.substr(0, argument.find('='));
    return fmt::format("{} has no option '{}'{}", command.get_name(), name, did_you_mean(name, option_names(command)));
  }
  return fmt::format("{} does not take the argument '{}'", command.get_name(), argument);
}

}  // namespace

std::string did_you_mean(const std::string& word, const std::vector<std::string>& names) {
  constexpr size_t longest = 64;  // longer words are close to no name
  if (names.empty() || word.size() > longest) return "";
  const auto distance = [&](const std::string& name) { return edit_distance(word, name); };
  const auto is_longer_form = [&](const std::string& name) { return word.size() > 3 && name.starts_with(word); };
  auto nearest = std::ranges::find_if(names, is_longer_form);
  const bool abbreviated = nearest != names.end();
  if (!abbreviated) nearest = std::ranges::min_element(names, {}, distance);
  const size_t bearable = std::max<size_t>(2, word.size() / 3);
  return abbreviated || distance(*nearest) <= bearable ? fmt::format(" (did you mean {}?)", *nearest) : "";
}

CLI::Validator one_of(std::vector<std::string> names) {
  std::string description = fmt::format("{{{}}}", fmt::join(names, ","));
  const auto check = [names = std::move(names)](const std::string& word) {
    if (std::ranges::count(names, word) > 0) return std::string();
    return fmt::format("'{}'{} is not one of {}", word, did_you_mean(word, names), fmt::join(names, ", "));
  };
  return {check, std::move(description)};
}

CLI::Validator positive_number() {
  const auto check = [](const std::string& text) {
    const auto value = number(text);
    return value && std::isfinite(*value) && *value > 0 ? std::string() : text + " is not a number above 0";
  };
  return {check, "above 0"};
}

CLI::Validator non_negative_number() {
  const auto check = [](const std::string& text) {
    const auto value = number(text);
    return value && std::isfinite(*value) && *value >= 0 ? std::string() : text + " is not a number of 0 or more";
  };
  return {check, "0 or more"};
}

CLI::Validator whole_number() {
  const auto check = [](const std::string& text) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? std::string()
                                                                    : text + " is not a whole number of 0 or more";
  };
  return {check, "0 or more"};
}

CLI::Validator zero_or_range(int64_t first, int64_t last) {
  const auto check = [first, last](const std::string& text) {
    int64_t value = 0;
    const bool read = CLI::detail::lexical_cast(text, value);
    return read && (value == 0 || (value >= first && value <= last))
               ? std::string()
               : fmt::format("{} is not 0 or a whole number from {} to {}", text, first, last);
  };
  return {check, fmt::format("0 or {} to {}", first, last)};
}

std::string parse_failure(const CLI::App& program, const CLI::Error& error) {
  const CLI::App& command = parsed_command(program);
  const std::vector<std::string> misplaced = program.remaining();
  if (&command != &program && !misplaced.empty()) {
    return fmt::format("'{}' is before the command; put the options of {} after its name", misplaced.front(),
                       command.get_name());
  }
  const std::vector<std::string> unknown = command.remaining();
  const auto is_option = [](const std::string& argument) { return argument.starts_with('-'); };
  const auto option = std::ranges::find_if(unknown, is_option);
  if (option != unknown.end()) return refusal(command, *option);
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && !unknown.empty()) {
    return refusal(command, unknown.front());
  }
  const bool is_required = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  if (&command == &program && is_required) return "no command was given";
  const std::vector<std::string> inner = subcommand_names(command);
  if (is_required && !inner.empty()) {
    return fmt::format("{} needs a command: {}", command.get_name(), fmt::join(inner, ", "));
  }
  return error.what();
}

void require_plausible_values(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    const bool is_real = option->get_type_name().starts_with("FLOAT");
    for (const std::string& text : option->results()) {
      if (text.empty()) fail("{} needs a value; see melgrad {} --help", option->get_name(), command.get_name());
      const auto value = is_real ? number(text) : std::nullopt;
      if (value && !std::isfinite(*value)) fail("{}: {} is not a finite number", option->get_name(), text);
    }
  }
}

}  // namespace melgrad
