#include <fmt/format.h>

#include <cctype>

#include "apps/completion/command_doc.h"

namespace melgrad {
namespace {

// As roff takes it: its escape character, hyphens that are to be minus signs, and lines that would be requests.
std::string roff(std::string text) {
  text = replaced(replaced(std::move(text), "\\", "\\e"), "-", "\\-");
  text = replaced(replaced(std::move(text), "\n.", "\n\\&."), "\n'", "\n\\&'");
  return text.starts_with('.') || text.starts_with('\'') ? fmt::format("\\&{}", text) : text;
}

std::string upper_case(std::string text) {
  for (char& c : text) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string placeholder(const OptionDoc& option) {
  return option.value == OptionDoc::Value::choice ? fmt::format("{}", fmt::join(option.choices, "|"))
                                                  : upper_case(option.name.substr(option.name.find_first_not_of('-')));
}

std::string positional_text(const OptionDoc& positional) {
  const std::string name = upper_case(positional.name) + (positional.repeated ? "..." : "");
  return positional.required ? name : fmt::format("[{}]", name);
}

std::string entry(const OptionDoc& option, bool positional) {
  std::string text = ".TP\n";
  if (positional) {
    text += fmt::format("\\fI{}\\fR\n", roff(upper_case(option.name)));
  } else {
    text += fmt::format("\\fB{}\\fR", roff(option.name));
    text += option.value == OptionDoc::Value::none ? "\n" : fmt::format(" \\fI{}\\fR\n", roff(placeholder(option)));
  }
  std::string notes;
  const auto note = [&notes](const std::string& words) { notes += (notes.empty() ? "" : "; ") + words; };
  if (positional && !option.choices.empty()) note(fmt::format("one of {}", fmt::join(option.choices, ", ")));
  if (!option.constraint.empty()) note(option.constraint);
  if (!option.default_value.empty()) note(fmt::format("default {}", option.default_value));
  if (option.required && !positional) note("required");
  return fmt::format("{}{}{}\n", text, roff(option.description),
                     notes.empty() ? "" : fmt::format(" ({})", roff(notes)));
}

std::string entries(const CommandDoc& command) {
  std::string text;
  for (const OptionDoc& positional : command.positionals) text += entry(positional, true);
  for (const OptionDoc& option : command.options) text += entry(option, false);
  return text;
}

std::string section(const std::string& program, const CommandDoc& command) {
  std::string text = fmt::format(".SS {} {}\n{}.\n.PP\n\\fB{} {}\\fR", program, command.name, roff(command.description),
                                 program, command.name);
  for (const OptionDoc& positional : command.positionals) text += fmt::format(" {}", roff(positional_text(positional)));
  text += fmt::format(" [OPTIONS]\n{}", entries(command));
  if (!command.footer.empty()) text += fmt::format(".PP\n.nf\n{}\n.fi\n", roff(command.footer));
  return text;
}

}  // namespace

std::string man_page(const CommandDoc& program, const std::string& version) {
  std::string text =
      fmt::format(R"(.TH {0} 1 "" "{1}" "User Commands"
.SH NAME
{2} \- train and apply music\-genre classifiers
.SH SYNOPSIS
\fB{2}\fR \fICOMMAND\fR [\fIARGUMENTS\fR]
.SH DESCRIPTION
{3}
.SH OPTIONS
{4}.SH COMMANDS
)",
                  upper_case(program.name), roff(version), program.name, roff(program.description), entries(program));
  for (const CommandDoc& command : program.commands) text += section(program.name, command);
  return text + R"(.SH EXIT STATUS
0: success. 1: the work failed. 2: the arguments were wrong. 3: part of the work failed. 130: interrupted.
Errors are one line on standard error.
.SH ENVIRONMENT
.TP
OMP_NUM_THREADS
CPU threads where \-\-threads does not say.
.TP
MELGRAD_CACHE
The folder of the feature cache; $XDG_CACHE_HOME/melgrad or ~/.cache/melgrad unless set.
)";
}

}  // namespace melgrad
