#include "apps/command_line.h"

#include <cstdio>
#include <exception>
#include <new>

#include "apps/arguments.h"
#include "apps/command.h"
#include "apps/completion/completion.h"
#include "apps/config.h"
#include "apps/version.h"
#include "framework/interrupt.h"
#include "framework/text.h"

namespace melgrad {
namespace {

int run_guarded(const Command& command) {
  try {
    return command.run();
  } catch (const Interrupted& interruption) {
    print_error(interruption.what());
    return exit_interrupted;
  } catch (const UsageError& error) {
    print_error(error.what());
    return exit_usage;
  } catch (const OutOfMemory& error) {
    fmt::print(stderr, "melgrad: {}; use a smaller --batch-size or fewer tracks\n", error.what());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "melgrad: out of memory; use a smaller --batch-size or fewer tracks\n");
  } catch (const std::exception& error) {
    print_error(error.what());
  }
  return exit_failure;
}

// What the kernels are compiled for beyond the architecture's baseline (CMakeLists.txt).
const char* missing_instructions() {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return "AVX2 or FMA";
#endif
  return nullptr;
}

// CLI11 would only say that a subcommand is required.
void require_known(const std::vector<Command>& commands, const std::string& word) {
  std::vector<std::string> known;
  for (const Command& command : commands) {
    if (command.app->get_name() == word) return;
    if (!command.app->get_group().empty()) known.push_back(command.app->get_name());
  }
  fail("there is no command '{}'; the commands are {}{}", word, fmt::join(known, ", "), did_you_mean(word, known));
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  CLI::App program("Trains music-genre classifiers from audio files and applies them.", "melgrad");
  bool json = false;  // parsed before --version acts, being added before it
  program.add_flag("--json", json, "With --version: the build, its libraries and devices as JSON");
  program.set_version_flag("--version", [&json] { return json ? version_json() : version_line(); });
  program.require_subcommand(1);
  program.failure_message([](const CLI::App* app, const CLI::Error& error) {
    return fmt::format("melgrad: {}; see --help\n", one_line(parse_failure(*app, error)));
  });
  if (const char* lacking = missing_instructions()) {
    fmt::print(stderr, "melgrad: this processor lacks {}, which this build needs\n", lacking);
    return exit_failure;
  }
  const std::vector<Command> commands{add_synth(program),    add_mel(program),     add_train(program),
                                      add_evaluate(program), add_predict(program), add_summary(program),
                                      add_check(program),    add_completion(program)};
  try {
    if (argc > 1 && argv[1][0] != '-') require_known(commands, argv[1]);
    std::vector<std::string> arguments = with_config(program, {argv + 1, argv + argc});
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    program.parse(arguments);
    for (const CLI::App* given : program.get_subcommands()) require_plausible_values(*given);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? exit_success : exit_usage;
  } catch (const Error& error) {
    print_error(error.what());
    return exit_usage;
  }
  for (const Command& command : commands) {
    if (command.app->parsed()) return run_guarded(command);
  }
  return exit_usage;
}

}  // namespace melgrad
