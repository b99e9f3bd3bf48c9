#include <fmt/format.h>

#include "apps/completion/command_doc.h"

namespace melgrad {
namespace {

std::string words(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& word : list) {
    // Leaves out words with a colon: bash splits words there and would complete only a part.
    if (word.find(':') == std::string::npos) text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

// A case for "<path> <word before the cursor>" for every option that takes a value. `path` is the command with those
// around it: "melgrad profile train".
std::string value_cases(const CommandDoc& command, const std::string& path) {
  std::string text;
  for (const OptionDoc& option : command.options) {
    const std::string pattern = fmt::format("    '{} {}')", path, option.name);
    switch (option.value) {
      case OptionDoc::Value::none:
        break;
      case OptionDoc::Value::choice:
        text += fmt::format("{} words='{}' ;;\n", pattern, words(option.choices));
        break;
      case OptionDoc::Value::number:
        text += fmt::format("{} compopt +o default 2>/dev/null; return ;;\n", pattern);
        break;
      case OptionDoc::Value::path_or_text:
        text += fmt::format("{} return ;;\n", pattern);
        break;
    }
  }
  return text;
}

// The case for words that are not the value of an option: options after a dash, otherwise values of the positionals.
std::string word_case(const CommandDoc& command, const std::string& path) {
  std::vector<std::string> options, choices;
  for (const OptionDoc& option : command.options) options.push_back(option.name);
  for (const OptionDoc& positional : command.positionals) {
    choices.insert(choices.end(), positional.choices.begin(), positional.choices.end());
  }
  for (const CommandDoc& subcommand : command.commands) choices.push_back(subcommand.name);
  return fmt::format("        '{}') options='{}' words='{}' ;;\n", path, words(options), words(choices));
}

struct Cases {
  std::vector<std::string> paths;  // of all commands, in quotes
  std::string values, others;

  void add(const CommandDoc& command, const std::string& path) {
    values += value_cases(command, path);
    others += word_case(command, path);
    for (const CommandDoc& inner : command.commands) {
      const std::string inner_path = path + " " + inner.name;
      paths.push_back(fmt::format("'{}'", inner_path));
      add(inner, inner_path);
    }
  }
};

}  // namespace

std::string bash_completion(const CommandDoc& program) {
  Cases cases;
  cases.add(program, program.name);
  return fmt::format(R"(# bash completion for {0}, printed by: {0} completion bash
_{0}() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} command={0} options='' words='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case "$command ${{COMP_WORDS[i]}}" in
      {1}) command+=" ${{COMP_WORDS[i]}}" ;;
    esac
  done
  # --option=value is three words here.
  if [[ $previous == '=' ]]; then previous=${{COMP_WORDS[COMP_CWORD - 2]}}; fi
  if [[ $current == '=' ]]; then previous=${{COMP_WORDS[COMP_CWORD - 1]}} current=''; fi
  case "$command $previous" in
{2}    *)
      case $command in
{3}      esac
      if [[ $current == -* ]]; then words=$options; fi
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -o bashdefault -o default -F _{0} {0}
)",
                     program.name, fmt::join(cases.paths, "|"), cases.values, cases.others);
}

}  // namespace melgrad
