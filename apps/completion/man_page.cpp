#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "apps/completion/command_doc.h"

namespace melgrad {
namespace {

// Escapes backslashes, hyphens (as minus signs) and lines that roff would read as requests.
std::string roff(std::string text) {
  text = replaced(replaced(std::move(text), "\\", "\\e"), "-", "\\-");
  text = replaced(replaced(std::move(text), "\n.", "\n\\&."), "\n'", "\n\\&'");
  return text.starts_with('.') || text.starts_with('\'') ? fmt::format("\\&{}", text) : text;
}

std::string upper_case(std::string text) {
  for (char& c : text) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
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
    text += option.value_name.empty() ? "\n" : fmt::format(" \\fI{}\\fR\n", roff(option.value_name));
  }
  const std::string limits = option.limits(positional);
  return fmt::format("{}{}{}\n", text, roff(option.description),
                     limits.empty() ? "" : fmt::format(" ({})", roff(limits)));
}

// The options of a group are contiguous. If there is only one group, it has no heading.
std::string entries(const CommandDoc& command) {
  std::string text;
  for (const OptionDoc& positional : command.positionals) text += entry(positional, true);
  const auto in_first_group = [&](const OptionDoc& option) { return option.group == command.options.front().group; };
  const bool has_headings = !std::ranges::all_of(command.options, in_first_group);
  std::string group;
  for (const OptionDoc& option : command.options) {
    if (has_headings && option.group != group) text += fmt::format(".PP\n\\fB{}:\\fR\n", roff(group = option.group));
    text += entry(option, false);
  }
  return text;
}

std::string section(const std::string& program, const CommandDoc& command) {
  std::string text = fmt::format(".SS {} {}\n{}.\n.PP\n\\fB{} {}\\fR", program, command.name, roff(command.description),
                                 program, command.name);
  for (const OptionDoc& positional : command.positionals) text += fmt::format(" {}", roff(positional_text(positional)));
  text +=
      fmt::format(" {}\n{}", command.commands.empty() ? "[OPTIONS]" : "\\fICOMMAND\\fR [ARGUMENTS]", entries(command));
  if (!command.footer.empty()) text += fmt::format(".PP\n.nf\n{}\n.fi\n", roff(command.footer));
  return text;
}

// The sections of a command and of those inside it. The options that a command inside shares with the command of the
// same name outside are described there.
std::string sections(const CommandDoc& program, const CommandDoc& command) {
  std::string text = section(program.name, command);
  for (CommandDoc inner : command.commands) {
    const auto outer = std::ranges::find(program.commands, inner.name, &CommandDoc::name);
    if (outer != program.commands.end()) {
      std::erase_if(inner.options, [&](const OptionDoc& option) {
        return std::ranges::any_of(outer->options, [&](const OptionDoc& other) {
          return other.name == option.name && other.description == option.description;
        });
      });
      inner.description += fmt::format(", with the options of {} {} and these", program.name, inner.name);
    }
    inner.name = command.name + " " + inner.name;
    text += section(program.name, inner);
  }
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
{3}.
.SH OPTIONS
{4}.SH COMMANDS
)",
                  upper_case(program.name), roff(version), program.name, roff(program.description), entries(program));
  for (const CommandDoc& command : program.commands) text += sections(program, command);
  return text + R"(.SH EXIT STATUS
0: success. 1: the work failed. 2: wrong arguments. 3: part of the work failed. 130: interrupted.
An error prints one line on standard error.
.SH ENVIRONMENT
.TP
OMP_NUM_THREADS
Number of CPU threads unless \-\-threads is given. Default: one for each processor that the process may use (affinity,
quota of the control group).
.TP
OMP_WAIT_POLICY
passive: threads without work sleep at once. active: they spin. By default they spin for 0.1 ms.
.TP
TMPDIR
Folder for the copy of audio that is read from a pipe. Default: /tmp.
.TP
MELGRAD_CACHE
Folder of the feature cache. Default: $XDG_CACHE_HOME/melgrad, otherwise ~/.cache/melgrad.
.TP
MELGRAD_CACHE_LIMIT
Size of the feature cache, such as 20GB, unless \-\-cache\-limit is given. 0: no limit. Default: 100GB.
)";
}

}  // namespace melgrad
