#include "apps/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#define TOML_EXCEPTIONS 1
// toml++ asserts on some malformed values in debug builds. Without the assertion it reports them as errors.
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

std::string flag_of(const CLI::Option& option) { return "--" + option.get_lnames().at(0); }

// The key of the option in a config file.
std::string key_of(const CLI::Option& option) {
  return option.get_positional() ? option.get_name(true) : with(option.get_lnames().at(0), '-', '_');
}

bool contains(const std::vector<const CLI::Option*>& options, const CLI::Option* option) {
  return std::find(options.begin(), options.end(), option) != options.end();
}

// The last value given to the option, as `--option value` or `--option=value`.
std::optional<std::string> value_of(const std::vector<std::string>& arguments, const CLI::Option* option) {
  if (!option) return std::nullopt;
  const std::string flag = flag_of(*option);
  std::optional<std::string> value;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == flag && i + 1 < arguments.size()) value = arguments[i + 1];
    if (arguments[i].starts_with(flag + "=")) value = arguments[i].substr(flag.size() + 1);
  }
  return value;
}

bool is_set(const std::vector<std::string>& arguments, const CLI::Option* option) {
  if (!option) return false;
  const std::string flag = flag_of(*option);
  return std::any_of(arguments.begin(), arguments.end(),
                     [&flag](const std::string& argument) { return argument == flag || argument == flag + "=true"; });
}

std::string value_text(const toml::node& node, const std::string& where) {
  if (const auto* text = node.as_string()) {
    if (text->get().find('\0') != std::string::npos) fail("{} holds a NUL byte; leave it out", where);
    return text->get();
  }
  if (const auto* integer = node.as_integer()) return fmt::format("{}", integer->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* boolean = node.as_boolean()) return boolean->get() ? "true" : "false";
  fail("{} must be a string, a number, true or false", where);
}

bool is_beyond_ascii(char letter) { return static_cast<unsigned char>(letter) >= 0x80; }

bool is_ascii(std::string_view text) { return std::none_of(text.begin(), text.end(), is_beyond_ascii); }

// Returns the position after the one-line string or the comment that begins at `begin`. A string that is not closed
// ends at the end of its line.
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
      fail("{}:{}: a file with letters beyond ASCII must not have multi-line strings", path.string(), line(i));
    }
    if (text[i] == '"' || text[i] == '\'' || text[i] == '#') {
      i = skip_quoted(text, i);
      continue;
    }
    if (is_beyond_ascii(text[i])) fail("{}:{}: letters beyond ASCII must be in quotes", path.string(), line(i));
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

// TOML allows letters beyond ASCII only in strings and comments. In other places they cause undefined behaviour in
// toml++ (github.com/marzer/tomlplusplus issues 190 and 295). Such places are also those after a quote that does not
// begin a string (`n = 0"é`) and after a backslash that joins two lines of a string. Therefore the file is first parsed
// with these letters masked.
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

std::vector<std::string> option_keys(const CLI::App& command) {
  std::vector<std::string> keys;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) keys.push_back(with(name, '-', '_'));
    if (option->get_positional()) keys.push_back(key_of(*option));
  }
  return keys;
}

// The options in the file as command-line arguments. A value of a positional argument becomes its default.
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
      fail("{} is not an option{}; see melgrad {} --help", where, did_you_mean(name, option_keys(command)),
           command.get_name());
    }
    arguments.push_back(flag + "=" + value_text(node, where));
  }
  return arguments;
}

// True if `text` is a number in TOML; `.5` and `007` are not.
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

// The arguments, after those of the preset that they name.
std::vector<std::string> with_preset(const ConfigOptions& options, const std::vector<std::string>& arguments) {
  const std::optional<std::string> name = value_of(arguments, options.preset);
  std::vector<std::string> result = name ? options.preset_arguments(*name) : std::vector<std::string>();
  result.insert(result.end(), arguments.begin(), arguments.end());
  return result;
}

}  // namespace

void require_same_options(const std::filesystem::path& file, const std::string& text, const ConfigOptions& options) {
  const auto may_differ = [&options](const std::string& key) {
    return std::any_of(options.may_differ.begin(), options.may_differ.end(),
                       [&key](const CLI::Option* option) { return key_of(*option) == key; });
  };
  const toml::table before = parse(file), now = toml::parse(text);
  const auto value_before = [&](const std::string& key) -> std::string {
    if (const toml::node* const node = before[key].node()) return value_text(*node, key);
    for (const auto& [option, value] : options.before) {
      if (key_of(*option) == key) return value;
    }
    return "";
  };
  for (const auto& [key, node] : now) {
    const std::string name(key.str());
    if (may_differ(name)) continue;
    const std::string wanted = value_text(node, name);
    const std::string had = value_before(name);
    // Runs of earlier versions lack the options that were added since; what those do was off.
    const bool off_as_before = !before.contains(name) && (wanted == "false" || wanted == "0");
    if (wanted != had && !off_as_before) {
      fail("{} cannot change --{}: the run has {}, the command line {}; leave it out, or train a new run",
           flag_of(*options.resume), with(name, '_', '-'), had.empty() ? "none" : had, wanted);
    }
  }
}

std::optional<std::string> value_in(const std::filesystem::path& file, const std::string& key) {
  const toml::table table = parse(file);
  const toml::node* const node = table[key].node();
  return node ? std::optional(value_text(*node, key)) : std::nullopt;
}

std::vector<std::pair<std::string, std::string>> values_in(const std::filesystem::path& file) {
  const toml::table table = parse(file);  // sorted by key
  std::map<toml::source_position, std::pair<std::string, std::string>> by_position;
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    by_position[node.source().begin] = {name, value_text(node, fmt::format("{}: {}", file.string(), name))};
  }
  std::vector<std::pair<std::string, std::string>> values;
  for (auto& [position, value] : by_position) values.push_back(std::move(value));
  return values;
}

std::string toml_text(const std::string& text) {
  if (!is_utf8(text)) fail("'{}' is not UTF-8 and cannot be written to config.toml; rename it", text);
  std::ostringstream quoted;
  quoted << toml::value<std::string>(text);
  return quoted.str();
}

std::vector<std::string> with_config(CLI::App& command, const ConfigOptions& options,
                                     std::vector<std::string> arguments) {
  const auto name = std::find(arguments.begin(), arguments.end(), command.get_name());
  std::optional<std::string> file = value_of(arguments, options.file);
  std::vector<std::string> of_the_run;
  const std::optional<std::string> run = value_of(arguments, options.run_folder);
  if (!file && run && is_set(arguments, options.resume)) {
    if (value_of(arguments, options.preset)) {
      fail("{} continues with the options of the run; leave out {}", flag_of(*options.resume),
           flag_of(*options.preset));
    }
    file = (std::filesystem::path(*run) / "config.toml").string();
    std::error_code unseen;  // arguments_of reports a folder without access rights
    if (!std::filesystem::exists(*file, unseen) && !unseen) {
      fail("{} holds no config.toml, so there is no run to resume; check --out", *run);
    }
    for (const auto& [option, value] : options.before) of_the_run.push_back(flag_of(*option) + "=" + value);
  }
  if (name == arguments.end()) return arguments;
  std::vector<std::string> result(arguments.begin(), name + 1);
  const auto append = [&result](const std::vector<std::string>& more) {
    result.insert(result.end(), more.begin(), more.end());
  };
  append(of_the_run);
  if (file) append(with_preset(options, arguments_of(*file, command)));
  append(with_preset(options, {name + 1, arguments.end()}));
  return result;
}

std::string config_text(const CLI::App& command, const ConfigOptions& options) {
  const auto is_of_one_call = [&](const CLI::Option* option) {
    return option == command.get_help_ptr() || option == options.file || option == options.run_folder ||
           option == options.resume || contains(options.of_one_call, option);
  };
  std::string text;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional() || is_of_one_call(option)) continue;
    if (option->count() == 0 && option->get_default_str().empty() && option->get_expected_max() > 0) continue;
    text += fmt::format("{} = {}\n", key_of(*option), toml_value(*option));
  }
  return text;
}

}  // namespace melgrad
