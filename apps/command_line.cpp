#include "apps/command_line.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <system_error>

#include "apps/arguments.h"
#include "apps/command.h"
#include "apps/completion/completion.h"
#include "apps/config.h"
#include "apps/help.h"
#include "apps/ranks.h"
#include "apps/version.h"
#include "framework/terminal/interrupt.h"
#include "framework/terminal/progress.h"
#include "framework/terminal/text.h"

namespace melgrad {
namespace {

constexpr int widest_help = 100;  // columns

constexpr const char* advice_for_lack_of_memory =
    "use a smaller --batch-size, fewer --threads, or fewer or shorter tracks";

// Prints an error as one line and returns the exit code.
int run_guarded(const std::function<int()>& run) {
  try {
    return run();
  } catch (const Interrupted& interruption) {
    complain(interruption.what());
    return exit_by_signal(interrupted() ? interrupting_signal() : SIGTERM);  // another rank was interrupted
  } catch (const UsageError& error) {
    complain(error.what());
    return exit_usage;
  } catch (const OutputLost& error) {
    if (error.reader_is_gone()) return exit_by_signal(SIGPIPE);
    complain(error.what());
  } catch (const OutOfMemory& error) {
    complain(fmt::format("{}; {}", error.what(), advice_for_lack_of_memory));
  } catch (const DeviceError& error) {
    complain(fmt::format("the device failed: {}; run the command again, or with --device cpu", error.what()));
  } catch (const std::bad_alloc&) {
    complain(fmt::format("out of memory; {}", advice_for_lack_of_memory));
  } catch (const std::exception& error) {
    complain(error.what());
  }
  return exit_failure;
}

int run_and_flush(const std::function<int()>& run) {
  return run_guarded([&run] {
    int code = exit_failure;
    try {
      code = run();
    } catch (const std::system_error& error) {
      if (std::ferror(stdout) != 0) throw OutputLost(error.code().value());  // fmt::print throws it
      throw;
    }
    flush_output();
    return code;
  });
}

// The instruction sets that the kernels need (CMakeLists.txt) and this processor lacks; nullptr if it has them.
const char* missing_instructions() {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return "AVX2 or FMA";
#endif
  return nullptr;
}

// Throws Error that names the commands, if the word is none; CLI11 would only say that a subcommand is required.
void require_known(const std::vector<Command>& commands, const std::string& word) {
  std::vector<std::string> known;
  for (const Command& command : commands) {
    if (command.app->get_name() == word) return;
    if (!command.app->get_group().empty()) known.push_back(command.app->get_name());
  }
  fail("there is no command '{}'{}; the commands are {}", word, did_you_mean(word, known), fmt::join(known, ", "));
}

// Checks the command and, if it has commands itself, the one after it.
void require_known_words(const std::vector<Command>& commands, std::span<const char* const> words) {
  if (words.empty() || words[0][0] == '-') return;
  require_known(commands, words[0]);
  for (const Command& command : commands) {
    if (command.app->get_name() == words[0] && !command.commands.empty()) {
      require_known_words(command.commands, words.subspan(1));
    }
  }
}

// Inserts the options of the config file if the command takes one. The first argument that names a command selects it.
std::vector<std::string> with_config(const std::vector<Command>& commands, std::vector<std::string> arguments) {
  for (const std::string& argument : arguments) {
    for (const Command& command : commands) {
      if (command.app->get_name() != argument) continue;
      return command.commands.empty() ? with_config(*command.app, command.config, std::move(arguments))
                                      : with_config(command.commands, std::move(arguments));
    }
  }
  return arguments;
}

// `json` is parsed before --version acts, because its option is added first.
void set_up(CLI::App& program, bool& json) {
  program.formatter(std::make_shared<HelpFormatter>(std::min(terminal_columns(stdout), widest_help)));
  program.group("Commands");  // the commands inherit it as their heading
  program.set_help_flag("-h,--help", "Print this help and exit");
  program.footer(
      "melgrad COMMAND --help explains the options of a command.\n\n"
      "Examples:\n"
      "  melgrad synth demo/data\n"
      "  melgrad train demo/data --out demo/run --test-fraction 0.3 --epochs 40\n"
      "  melgrad evaluate demo/run demo/data");
  program.add_flag("--json", json, "With --version: print the build, its libraries and the devices as JSON");
  program.set_version_flag(
      "--version", [&json] { return json ? version_json() : version_line(); }, "Print the version and exit");
  program.require_subcommand(1);
  program.failure_message([](const CLI::App* app, const CLI::Error& error) {
    return fmt::format("melgrad: {}; see --help\n", one_line(parse_failure(*app, error)));
  });
}

int parse_and_run(int argc, const char* const* argv) {
  CLI::App program("Train music-genre classifiers on audio files, test them and classify music", "melgrad");
  bool json = false;
  set_up(program, json);
  if (const char* lacking = missing_instructions()) {
    complain(fmt::format("this processor lacks {}, which this build needs; run melgrad on another one", lacking));
    return exit_failure;
  }
  const std::vector<Command> commands{
      add_synth(program),   add_mel(program),     add_train(program),     add_evaluate(program),
      add_predict(program), add_summary(program), add_check(program),     add_cross_validate(program),
      add_profile(program), add_report(program),  add_explain(program),   add_runs(program),
      add_export(program),  add_cache(program),   add_completion(program)};
  try {
    require_known_words(commands, {argv + 1, argv + argc});
    std::vector<std::string> arguments = with_config(commands, {argv + 1, argv + argc});
    std::reverse(arguments.begin(), arguments.end());  // the order that CLI11 parses
    program.parse(arguments);
    for (const CLI::App* given = &program; !given->get_subcommands().empty();) {
      given = given->get_subcommands().front();
      require_plausible_values(*given);
    }
  } catch (const CLI::CallForVersion& error) {
    // CLI11 throws it before it checks the other arguments.
    const std::vector<std::string> unknown = program.remaining();
    if (unknown.empty()) return program.exit(error);
    program.exit(CLI::ExtrasError(unknown));
    return exit_usage;
  } catch (const CLI::ParseError& error) {
    if (!speaks_for_all_ranks()) return error.get_exit_code() == 0 ? exit_success : exit_usage;
    return program.exit(error) == 0 ? exit_success : exit_usage;
  } catch (const Error& error) {
    if (speaks_for_all_ranks()) complain(error.what());
    return exit_usage;
  }
  for (const Command& command : commands) {
    if (command.app->parsed()) return command.run();
  }
  return exit_usage;
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  return run_and_flush([&] { return parse_and_run(argc, argv); });
}

}  // namespace melgrad
