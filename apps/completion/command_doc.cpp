#include "apps/completion/command_doc.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <sstream>

namespace melgrad {
namespace {

// The elements of CLI11's "{a,b,c}".
std::vector<std::string> elements_of(const std::string& set) {
  std::vector<std::string> elements;
  std::istringstream text(set.substr(1, set.size() - 2));
  for (std::string element; std::getline(text, element, ',');) elements.push_back(element);
  return elements;
}

// CLI::Range describes itself as "INT in [0 - 100]"; this gives "0 to 100". Other text stays.
std::string range_of(const std::string& text) {
  const std::string opening = " in [";
  const size_t begin = text.find(opening);
  if (begin == std::string::npos || !text.ends_with(']')) return text;
  const size_t low = begin + opening.size();
  return replaced(text.substr(low, text.size() - low - 1), " - ", " to ");
}

// CLI11 writes TYPE or TYPE:LIMITS.
void describe_value(const std::string& type_name, OptionDoc& doc) {
  const size_t colon = type_name.find(':');
  const std::string type = type_name.substr(0, colon);
  const std::string limits = colon == std::string::npos ? "" : type_name.substr(colon + 1);
  if (limits.starts_with('{') && limits.ends_with('}')) {
    doc.value = OptionDoc::Value::choice;
    doc.value_name = "NAME";
    doc.choices = elements_of(limits);
    return;
  }
  const bool is_real = type == "FLOAT", is_number = is_real || type == "INT" || type == "UINT";
  doc.value = is_number ? OptionDoc::Value::number : OptionDoc::Value::path_or_text;
  doc.value_name = is_real ? "NUMBER" : is_number ? "INT" : type;
  doc.range = range_of(limits);
}

}  // namespace

std::string OptionDoc::limits(bool positional) const {
  std::string text;
  const auto add = [&text](const std::string& limit) { text += (text.empty() ? "" : "; ") + limit; };
  if (required && !positional) add("required");
  if (!choices.empty()) add(fmt::format("{}", fmt::join(choices, ", ")));
  if (!range.empty()) add(range);
  if (!default_value.empty()) add("default " + default_value);
  return text;
}

OptionDoc describe(const CLI::Option& option) {
  OptionDoc doc{.name = option.get_name(option.get_positional()),
                .description = option.get_description(),
                .group = option.get_group(),
                .value = OptionDoc::Value::none,
                .value_name = {},
                .choices = {},
                .range = {},
                .default_value = option.get_default_str(),
                .required = option.get_required(),
                .repeated = option.get_expected_max() > 1};
  if (doc.default_value == "[]") doc.default_value.clear();  // an empty list
  if (option.get_expected_max() > 0) {
    describe_value(option.get_type_name(), doc);
  } else {
    doc.default_value.clear();  // every flag is off unless given
  }
  return doc;
}

CommandDoc describe(const CLI::App& app) {
  CommandDoc doc{.name = app.get_name(),
                 .description = app.get_description(),
                 .footer = app.get_footer(),
                 .options = {},
                 .positionals = {},
                 .commands = {}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    (option->get_positional() ? doc.positionals : doc.options).push_back(describe(*option));
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) doc.commands.push_back(describe(*command));
  }
  return doc;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace melgrad
