#include <fmt/format.h>

#include "apps/completion/command_doc.h"

namespace melgrad {
namespace {

std::string fish_quoted(const std::string& text) {
  return fmt::format("'{}'", replaced(replaced(text, "\\", "\\\\"), "'", "\\'"));
}

std::string choices_of(const OptionDoc& option) {
  return fish_quoted(fmt::format("{}", fmt::join(option.choices, " ")));
}

// `condition` is the fish command that tests whether the options of `command` apply.
std::string lines_of(const std::string& program, const CommandDoc& command, const std::string& condition) {
  std::string text;
  const std::string start = fmt::format("complete -c {} -n {}", program, fish_quoted(condition));
  for (const OptionDoc& option : command.options) {
    text += fmt::format("{} -l {}", start, option.name.substr(2));
    if (option.value == OptionDoc::Value::choice) text += fmt::format(" -x -a {}", choices_of(option));
    if (option.value == OptionDoc::Value::number) text += " -x";
    if (option.value == OptionDoc::Value::path_or_text) text += " -r";
    text += fmt::format(" -d {}\n", fish_quoted(option.description));
  }
  for (const OptionDoc& positional : command.positionals) {
    if (!positional.choices.empty()) text += fmt::format("{} -f -a {}\n", start, choices_of(positional));
  }
  return text;
}

// True on a command line that names one of these commands.
std::string names_one_of(const std::vector<CommandDoc>& commands) {
  std::string text = "__fish_seen_subcommand_from";
  for (const CommandDoc& command : commands) text += " " + command.name;
  return text;
}

// The names of the commands, offered under `condition`.
std::string name_lines(const std::string& program, const std::vector<CommandDoc>& commands,
                       const std::string& condition) {
  std::string text;
  for (const CommandDoc& command : commands) {
    text += fmt::format("complete -c {} -n {} -f -a {} -d {}\n", program, fish_quoted(condition), command.name,
                        fish_quoted(command.description));
  }
  return text;
}

// `around` is the condition for the command that contains this one; empty: none does.
std::string command_lines(const std::string& program, const CommandDoc& command, const std::string& around) {
  const std::string condition = around + names_one_of({command});
  std::string text = lines_of(program, command, condition);
  if (command.commands.empty()) return text;
  text += name_lines(program, command.commands, condition + "; and not " + names_one_of(command.commands));
  for (const CommandDoc& inner : command.commands) text += command_lines(program, inner, condition + "; and ");
  return text;
}

}  // namespace

std::string fish_completion(const CommandDoc& program) {
  std::string text = fmt::format("# fish completion for {0}, printed by: {0} completion fish\n", program.name);
  const std::string no_command = "__fish_use_subcommand";
  text += lines_of(program.name, program, no_command);
  text += name_lines(program.name, program.commands, no_command);
  for (const CommandDoc& command : program.commands) text += command_lines(program.name, command, "");
  return text;
}

}  // namespace melgrad
