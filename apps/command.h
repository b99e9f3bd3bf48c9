// What the subcommands share: how they are registered, the options each of them has, how they report.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/terminal/progress.h"
#include "kernels/device/error.h"
#include "kernels/device/stream.h"

namespace melgrad {

enum ExitCode { exit_success = 0, exit_failure = 1, exit_usage = 2, exit_partial = 3 };

// As shells give it for a process that a signal ended: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP.
constexpr int exit_by_signal(int number) { return 128 + number; }

// Arguments that do not go together, found after parsing: exits with exit_usage.
class UsageError : public Exception {
 public:
  using Exception::Exception;
};

// --json and --quiet, which every subcommand has.
struct OutputOptions {
  bool json = false, quiet = false;
  ProgressMode progress() const { return quiet ? ProgressMode::quiet : ProgressMode::automatic; }
  // A line for people on stderr; nothing under --quiet.
  void note(const std::string& line) const;
};
void add_output_options(CLI::App& command, OutputOptions& options);

// --device auto|cpu|cuda[:N] and --threads.
struct DeviceOptions {
  std::string device = "auto";
  int threads = 0;
  // Applies the thread count and says which device it is to be: for auto a GPU where there is one, with a note where a
  // program built for GPUs finds none. Throws Error when the device asked for is not there.
  Device choose(const OutputOptions&) const;
};
void add_device_options(CLI::App& command, DeviceOptions& options);

// Starts OpenMP's threads, as many as there are to be: OpenMP itself would end the process where the system grants
// fewer. Throws Error that says what to do.
void start_threads();

struct Command {
  CLI::App* app;
  std::function<int()> run;  // an ExitCode, or exit_by_signal
};

// One for each apps/<name>.cpp. They add their subcommand to the program.
Command add_synth(CLI::App& program);
Command add_mel(CLI::App& program);
Command add_train(CLI::App& program);
Command add_evaluate(CLI::App& program);
Command add_predict(CLI::App& program);
Command add_summary(CLI::App& program);
Command add_check(CLI::App& program);

// Results for programs: one JSON value, indented, with a line end. Bytes of names that are not UTF-8 become U+FFFD.
std::string json_text(const nlohmann::ordered_json& value);
// The same on stdout.
void print_json(const nlohmann::ordered_json& value);

// "melgrad: LINE" on stderr, in one line whatever names and labels it quotes. Nobody may be left to read it: that stops
// nothing.
void complain(const std::string& line);

// What was printed to stdout did not arrive there.
class OutputLost : public Exception {
 public:
  explicit OutputLost(int error_number);
  bool reader_is_gone() const;  // as in melgrad predict ... | head -1

 private:
  int error_number_;
};

// Sends what was printed on its way. Throws OutputLost where that fails; run_command_line calls it at the end.
void flush_output();

}  // namespace melgrad
