#include "apps/completion/completion.h"

#include <cstdio>
#include <memory>

#include "apps/arguments.h"
#include "apps/completion/command_doc.h"
#include "apps/version.h"

namespace melgrad {
namespace {

std::string generate(const std::string& form, const CommandDoc& program) {
  if (form == "bash") return bash_completion(program);
  if (form == "zsh") return zsh_completion(program);
  if (form == "fish") return fish_completion(program);
  return man_page(program, version_line());
}

}  // namespace

Command add_completion(CLI::App& program) {
  auto form = std::make_shared<std::string>();
  CLI::App& app = *program.add_subcommand("completion", "Print the completion script of a shell, or the manual page");
  app.group("");  // --help does not list it
  app.footer("Examples:\n  source <(melgrad completion bash)");
  app.add_option("form", *form, "Shell, or man for the manual page")
      ->required()
      ->check(one_of({"bash", "zsh", "fish", "man"}));
  return {&app, [form, &program] {
            fmt::print("{}", generate(*form, describe(program)));
            return exit_success;
          }};
}

}  // namespace melgrad
