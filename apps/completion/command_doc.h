// The commands and their options as data, from which --help, the completions and the manual page are written.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace melgrad {

struct OptionDoc {
  enum class Value { none, choice, number, path_or_text };

  std::string name;  // "--model"; "model" for a positional
  std::string description;
  std::string group;  // the heading in --help
  Value value = Value::none;
  std::string value_name;  // "INT"; empty for a flag
  std::vector<std::string> choices;
  std::string range;          // "0 to 100"; empty: any value
  std::string default_value;  // empty: none
  bool required = false, repeated = false;

  // "required; 0 to 100; default 5": choices, range and default of the option. Leaves out "required" for a positional,
  // because the usage line shows it.
  std::string limits(bool positional) const;
};

struct CommandDoc {
  std::string name, description, footer;
  std::vector<OptionDoc> options, positionals;
  std::vector<CommandDoc> commands;
};

OptionDoc describe(const CLI::Option& option);

// Hidden options and commands are left out.
CommandDoc describe(const CLI::App& app);

// The script or page that `melgrad completion` prints.
std::string bash_completion(const CommandDoc& program);
std::string zsh_completion(const CommandDoc& program);
std::string fish_completion(const CommandDoc& program);
std::string man_page(const CommandDoc& program, const std::string& version);

// `text` with every `from` in it replaced.
std::string replaced(std::string text, const std::string& from, const std::string& to);

}  // namespace melgrad
