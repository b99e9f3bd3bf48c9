#include <fmt/format.h>

#include "apps/completion/command_doc.h"

namespace melgrad {
namespace {

// Escapes text for single quotes and the brackets and colons that _arguments and _describe interpret.
std::string zsh_quoted(std::string text) {
  for (const char* special : {"\\", "[", "]", ":"}) text = replaced(text, special, std::string("\\") + special);
  return replaced(text, "'", "'\\''");
}

std::string action(const OptionDoc& option) {
  if (option.value == OptionDoc::Value::number) return " ";
  if (option.value == OptionDoc::Value::path_or_text) return "_files";
  std::string choices;
  for (const std::string& choice : option.choices)
    choices += fmt::format("{}{}", choices.empty() ? "" : " ", zsh_quoted(choice));
  return fmt::format("({})", choices);
}

std::string arguments(const CommandDoc& command, const std::string& indent) {
  std::string text;
  for (const OptionDoc& option : command.options) {
    text += fmt::format(" \\\n{}'{}[{}]", indent, option.name, zsh_quoted(option.description));
    if (option.value != OptionDoc::Value::none) text += fmt::format(":{}:{}", option.name.substr(2), action(option));
    text += "'";
  }
  for (const OptionDoc& positional : command.positionals) {
    text +=
        fmt::format(" \\\n{}'{}:{}:{}'", indent, positional.repeated ? "*" : "", positional.name, action(positional));
  }
  return text;
}

// Statements that complete the words after the name of `command`.
std::string statements(const CommandDoc& command, const std::string& indent) {
  if (command.commands.empty()) return fmt::format("{}_arguments{}\n", indent, arguments(command, indent + "  "));
  std::string descriptions, cases;
  for (const CommandDoc& inner : command.commands) {
    descriptions += fmt::format("{}  '{}:{}'\n", indent, inner.name, zsh_quoted(inner.description));
    cases +=
        fmt::format("{0}      {1})\n{2}{0}        ;;\n", indent, inner.name, statements(inner, indent + "        "));
  }
  return fmt::format(R"({0}state=
{0}_arguments -C{1} \
{0}  '1:command:->command' '*::arguments:->arguments'
{0}commands=(
{2}{0})
{0}case $state in
{0}  command) _describe command commands ;;
{0}  arguments)
{0}    case $words[1] in
{3}{0}    esac
{0}    ;;
{0}esac
)",
                     indent, arguments(command, indent + "  "), descriptions, cases);
}

}  // namespace

std::string zsh_completion(const CommandDoc& program) {
  return fmt::format(R"(#compdef {0}
# zsh completion for {0}, printed by: {0} completion zsh
_{0}() {{
  local context state state_descr line curcontext=$curcontext
  typeset -A opt_args
  local -a commands
{1}}}
if [[ $funcstack[1] == _{0} ]]; then _{0} "$@"; else compdef _{0} {0}; fi
)",
                     program.name, statements(program, "  "));
}

}  // namespace melgrad
