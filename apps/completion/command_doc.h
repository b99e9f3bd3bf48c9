// What --help knows of the program, in a form that completions and the man page are written from.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace melgrad {

struct OptionDoc {
  enum class Value { none, choice, number, path_or_text };

  std::string name;  // "--model"; of a positional "model"
  std::string description;
  Value value = Value::none;
  std::vector<std::string> choices;
  std::string constraint;     // what else --help says of the value, "INT in [0 - 100]"; empty: nothing
  std::string default_value;  // empty: none
  bool required = false, repeated = false;
};

struct CommandDoc {
  std::string name, description, footer;
  std::vector<OptionDoc> options, positionals;
  std::vector<CommandDoc> commands;
};

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
