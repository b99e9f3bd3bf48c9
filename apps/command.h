// The parts that the commands share: registration, common options, and output.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/config.h"
#include "framework/terminal/reporter.h"
#include "kernels/device/dtype.h"
#include "kernels/device/error.h"
#include "kernels/device/stream.h"

namespace melgrad {

enum ExitCode { exit_success = 0, exit_failure = 1, exit_usage = 2, exit_partial = 3 };

// The code that shells report for a process that a signal ended: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP.
constexpr int exit_by_signal(int number) { return 128 + number; }

// The help text of the data set argument.
constexpr const char* description_of_data = "Folder with one subfolder of audio files per genre, or a manifest.csv";

// The help text of the trained model argument.
constexpr const char* description_of_run =
    "Checkpoint to use: a run folder (its last.safetensors) or a .safetensors file";

// --json, --quiet and --help, which every command has. They are added last, so that --help is the last of its group.
struct OutputOptions {
  bool json = false, quiet = false;
  bool silent = false;  // prints no warnings either; for ranks other than 0 (apps/ranks.h)
  ProgressMode progress() const { return quiet ? ProgressMode::quiet : ProgressMode::automatic; }
  // Prints a line on stderr, unless --quiet is given.
  void note(const std::string& line) const;
  // Progress and notes obey --quiet; warnings are printed unless `silent`.
  Reporter reporter() const;
};
void add_output_options(CLI::App& command, OutputOptions& options);

// --device auto|cpu|cuda[:N] and --threads.
struct DeviceOptions {
  std::string device = "auto";
  int threads = 0;
  // Applies the thread count and returns the device. auto is the first GPU, otherwise the CPU; a build for GPUs that
  // finds none prints a note. Throws Error if the given device does not exist.
  Device choose(const OutputOptions&) const;
};
void add_device_options(CLI::App& command, DeviceOptions& options);
// --exact-convolution. The command passes the value to kernel::set_exact_convolution.
void add_exact_convolution_option(CLI::App& command, bool& exact);

// Work that is ready to be repeated.
struct PreparedWork {
  std::function<void(int64_t count)> run;  // does `count` units
  Device device = Device::cpu;
  DType dtype = DType::float32;                    // of the activations
  std::vector<std::filesystem::path> inputs = {};  // the files that it reads
};

// The part of a command that melgrad profile measures. It prints no results.
struct ProfiledWork {
  std::string unit;                       // "step"
  int64_t warmup = 0, count = 1;          // units before and during the measurement, unless options say otherwise
  std::function<PreparedWork()> prepare;  // does what precedes the first unit
  const OutputOptions* output = nullptr;  // of the command
};

struct Command {
  CLI::App* app;
  std::function<int()> run;   // returns an ExitCode, or exit_by_signal
  ConfigOptions config = {};  // empty unless the command takes a config file
  std::optional<ProfiledWork> profiled = std::nullopt;
  std::vector<Command> commands = {};  // of which one is given after this one
};

// Each adds the command of apps/<name>.cpp to the program.
Command add_synth(CLI::App& program);
Command add_mel(CLI::App& program);
Command add_train(CLI::App& program);
Command add_evaluate(CLI::App& program);
Command add_predict(CLI::App& program);
Command add_summary(CLI::App& program);
Command add_check(CLI::App& program);
Command add_cross_validate(CLI::App& program);
Command add_profile(CLI::App& program);
Command add_explain(CLI::App& program);
Command add_report(CLI::App& program);
Command add_runs(CLI::App& program);
Command add_export(CLI::App& program);
Command add_cache(CLI::App& program);

// The value as indented JSON with a final line end. Bytes that are not UTF-8 become U+FFFD.
std::string json_text(const nlohmann::ordered_json& value);
// Prints json_text on stdout.
void print_json(const nlohmann::ordered_json& value);

// Prints "melgrad: LINE" on stderr as one line: control characters are escaped. Ignores write errors.
void complain(const std::string& line);
// From now on, complain() prints "melgrad: NAME: LINE"; without the name if it is empty.
void name_speaker(const std::string& name);

// A write to stdout failed.
class OutputLost : public Exception {
 public:
  explicit OutputLost(int error_number);
  bool reader_is_gone() const;  // the reader closed the pipe, as in melgrad predict ... | head -1

 private:
  int error_number_;
};

// Flushes stdout. Throws OutputLost if that fails. run_command_line calls it at the end.
void flush_output();

}  // namespace melgrad
