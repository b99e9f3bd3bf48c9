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
#include "framework/terminal/text.h"
#include "kernels/device/error.h"

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
  if (const auto* text = node.as_string()) {
    if (text->get().find('\0') != std::string::npos) fail("{} holds a NUL byte; leave it out", where);
    return text->get();
  }
  if (const auto* integer = node.as_integer()) return fmt::format("{}", integer->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* boolean = node.as_boolean()) return boolean->get() ? "true" : "false";
  fail("{} must be a text, a number or true/false", where);
}

bool is_beyond_ascii(char letter) { return static_cast<unsigned char>(letter) >= 0x80; }

bool is_ascii(std::string_view text) { return std::none_of(text.begin(), text.end(), is_beyond_ascii); }

// The position behind the TOML string of one line, or the comment, that begins at `begin`; a line's end also ends what
// is not closed.
size_t skip_quoted(std::string_view text, size_t begin) {
  const char quote = text[begin];
  if (quote == '#') return std::min(text.find('\n', begin), text.size());
  for (size_t i = begin + 1; i < text.size(); ++i) {
    if (text[i] == '\n') return i;
    if (text[i] == quote) return i + 1;
    if (quote == '"' && text[i] == '\\') ++i;
  }
  return text.size();
}

void require_ascii_outside_of_strings(std::string_view text, const std::filesystem::path& path) {
  const auto line = [&](size_t at) {
    return 1 + std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(at), '\n');
  };
  size_t i = 0;
  while (i < text.size()) {
    if (text.substr(i, 3) == R"(""")" || text.substr(i, 3) == "'''") {
      fail("{}:{}: a file with letters beyond ASCII takes strings on one line only", path.string(), line(i));
    }
    if (text[i] == '"' || text[i] == '\'' || text[i] == '#') {
      i = skip_quoted(text, i);
      continue;
    }
    if (is_beyond_ascii(text[i])) fail("{}:{}: letters beyond ASCII need quotes around them", path.string(), line(i));
    ++i;
  }
}

toml::table parse_text(std::string_view text, const std::filesystem::path& path) {
  try {
    return toml::parse(text, path.string());
  } catch (const toml::parse_error& error) {
    fail("{}:{}: {}", path.string(), error.source().begin.line, error.description());
  }
}

// TOML has letters beyond ASCII in strings and comments only. toml++ runs into undefined behaviour at others, also
// where a quote begins no string (`n = 0"é`), and behind a backslash that joins two lines of a string
// (github.com/marzer/tomlplusplus issues 190 and 295). So it sees them once the file is known to hold well without.
toml::table parse(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  std::string_view text = bytes;
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  if (!is_ascii(text)) {
    require_ascii_outside_of_strings(text, path);
    std::string masked(text);
    std::replace_if(masked.begin(), masked.end(), is_beyond_ascii, 'x');
    parse_text(masked, path);
  }
  return parse_text(text, path);
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
  if (!is_ascii(text)) return false;
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
