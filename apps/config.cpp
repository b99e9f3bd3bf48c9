#include "apps/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <sstream>

#define TOML_EXCEPTIONS 1
// A debug build's assertion on some malformed values; what follows it reports them as errors.
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>

#include "apps/arguments.h"
#include "framework/io/atomic_file.h"
#include "framework/text.h"
#include "kernels/error.h"

namespace melgrad {
namespace {

std::string with(std::string text, char from, char to) {
  std::replace(text.begin(), text.end(), from, to);
  return text;
}

// What follows `flag` among the arguments, as `--flag value` or `--flag=value`; the last one counts.
std::optional<std::string> value_of(const std::vector<std::string>& arguments, const std::string& flag) {
  std::optional<std::string> value;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == flag && i + 1 < arguments.size()) value = arguments[i + 1];
    if (arguments[i].starts_with(flag + "=")) value = arguments[i].substr(flag.size() + 1);
  }
  return value;
}

std::string value_text(const toml::node& node, const std::string& where) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return fmt::format("{}", integer->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* boolean = node.as_boolean()) return boolean->get() ? "true" : "false";
  fail("{} must be a text, a number or true/false", where);
}

// The position behind the TOML string, or comment, that begins at `begin`; a line's end also ends what is not closed.
size_t skip_quoted(std::string_view text, size_t begin) {
  const char quote = text[begin];
  if (quote == '#') return std::min(text.find('\n', begin), text.size());
  const std::string triple(3, quote);
  const bool many_lines = text.substr(begin, 3) == triple;
  size_t i = begin + (many_lines ? 3 : 1);
  while (i < text.size()) {
    if (many_lines && text.substr(i, 3) == triple) {  // up to two more quotes are the string's own
      return std::min({i + 5, text.find_first_not_of(quote, i), text.size()});
    }
    if (!many_lines && text[i] == '\n') return i;
    if (!many_lines && text[i] == quote) return i + 1;
    i += quote == '"' && text[i] == '\\' ? 2 : 1;
  }
  return text.size();
}

// TOML has letters beyond ASCII in strings and comments only; toml++ 3.3 runs into undefined behaviour at others.
void require_ascii_outside_of_strings(std::string_view text, const std::filesystem::path& path) {
  size_t i = 0;
  while (i < text.size()) {
    if (text[i] == '"' || text[i] == '\'' || text[i] == '#') {
      i = skip_quoted(text, i);
      continue;
    }
    if (static_cast<unsigned char>(text[i]) >= 0x80) {
      const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(i), '\n');
      fail("{}:{}: letters beyond ASCII need quotes around them", path.string(), line);
    }
    ++i;
  }
}

toml::table parse(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  require_ascii_outside_of_strings(text.starts_with(byte_order_mark) ? text.substr(byte_order_mark.size()) : text,
                                   path);
  try {
    return toml::parse(text, path.string());
  } catch (const toml::parse_error& error) {
    fail("{}:{}: {}", path.string(), error.source().begin.line, error.description());
  }
}

// How a config file names the options.
std::vector<std::string> option_keys(const CLI::App& command) {
  std::vector<std::string> keys;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) keys.push_back(with(name, '-', '_'));
    if (option->get_positional()) keys.push_back(option->get_name(true));
  }
  return keys;
}

// What stands for options, as arguments. What stands for a positional argument becomes its default.
std::vector<std::string> arguments_of(const std::filesystem::path& path, CLI::App& command) {
  const toml::table table = parse(path);
  std::vector<std::string> arguments;
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const std::string flag = "--" + with(name, '_', '-');
    const std::string where = fmt::format("{}:{}: {}", path.string(), node.source().begin.line, name);
    if (CLI::Option* const positional = command.get_option_no_throw(name)) {
      positional->run_callback_for_default()->default_val(value_text(node, where));
      continue;
    }
    if (!command.get_option_no_throw(flag)) {
      fail("{} is no option{}; see melgrad {} --help", where, did_you_mean(name, option_keys(command)),
           command.get_name());
    }
    arguments.push_back(flag + "=" + value_text(node, where));
  }
  return arguments;
}

// Whether a text stands for the same number in TOML: `.5` and `007` are none there.
bool is_toml_number(const std::string& text) {
  try {
    const toml::table table = toml::parse("number = " + text);
    return table.size() == 1 && table["number"].is_number();
  } catch (const toml::parse_error&) {
    return false;
  }
}

std::string toml_value(const CLI::Option& option) {
  const bool is_flag = option.get_expected_max() == 0;
  const std::string text = option.count() > 0 ? option.results().back() : option.get_default_str();
  if (is_flag) return text == "true" || text == "1" ? "true" : "false";
  if (is_toml_number(text)) return text;
  return toml_text(text);
}

}  // namespace

void require_same_options(const std::filesystem::path& file, const std::string& text,
                          const std::vector<std::string>& may_differ) {
  const toml::table before = parse(file), now = toml::parse(text);
  for (const auto& [key, node] : now) {
    const std::string name(key.str());
    if (std::find(may_differ.begin(), may_differ.end(), name) != may_differ.end()) continue;
    const std::string flag = "--" + with(name, '_', '-');
    const std::string wanted = value_text(node, name);
    const std::string had =
        before.contains(name) ? value_text(before[name].node() ? *before[name].node() : node, name) : "";
    if (wanted != had)
      fail("--resume cannot change {}: the run has {}, given is {}", flag, had.empty() ? "none" : had, wanted);
  }
}

std::string toml_text(const std::string& text) {
  if (!is_utf8(text)) fail("'{}' is not UTF-8, so config.toml cannot hold it; rename it", text);
  std::ostringstream quoted;
  quoted << toml::value<std::string>(text);
  return quoted.str();
}

std::vector<std::string> with_config(CLI::App& program, std::vector<std::string> arguments) {
  const std::vector<CLI::App*> commands = program.get_subcommands([](CLI::App*) { return true; });
  const auto named = [](const std::string& argument) {
    return [&argument](const CLI::App* app) { return app->get_name() == argument; };
  };
  const auto subcommand = std::find_if(arguments.begin(), arguments.end(), [&](const std::string& argument) {
    return std::any_of(commands.begin(), commands.end(), named(argument));
  });
  if (subcommand == arguments.end()) return arguments;
  CLI::App& command = **std::find_if(commands.begin(), commands.end(), named(*subcommand));
  if (!command.get_option_no_throw("--config")) return arguments;

  std::optional<std::string> file = value_of(arguments, "--config");
  const bool resume = std::any_of(arguments.begin(), arguments.end(), [](const std::string& argument) {
    return argument == "--resume" || argument == "--resume=true";
  });
  if (const auto run = value_of(arguments, "--out"); !file && resume && run) {
    file = (std::filesystem::path(*run) / "config.toml").string();
  }
  if (!file) return arguments;
  const std::vector<std::string> configured = arguments_of(*file, command);
  arguments.insert(subcommand + 1, configured.begin(), configured.end());
  return arguments;
}

std::string config_text(const CLI::App& command, const std::vector<std::string>& left_out) {
  std::string text;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_lnames().empty()) continue;
    const std::string& name = option->get_lnames()[0];
    if (std::find(left_out.begin(), left_out.end(), name) != left_out.end()) continue;
    if (option->count() == 0 && option->get_default_str().empty() && option->get_expected_max() > 0) continue;
    text += fmt::format("{} = {}\n", with(name, '-', '_'), toml_value(*option));
  }
  return text;
}

}  // namespace melgrad
