#include "apps/command.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "framework/terminal/text.h"
#include "kernels/device/device_choice.h"
#include "kernels/device/error.h"
#include "kernels/device/note.h"
#include "kernels/device/thread_pool.h"

namespace melgrad {

void OutputOptions::note(const std::string& line) const {
  if (!quiet) note_on_stderr(one_line(line));
}

Reporter OutputOptions::reporter() const {
  return {.progress = progress(),
          .note = [*this](const std::string& line) { note(line); },
          .warn =
              [*this](const std::string& line) {
                if (!silent) complain(line);
              }};
}

void add_output_options(CLI::App& command, OutputOptions& options) {
  command.add_flag("--json", options.json, "Print the result as JSON on stdout");
  command.add_flag("--quiet", options.quiet, "Print no progress and no notes on stderr");
  command.set_help_flag("-h,--help", "Print this help and exit");
}

namespace {

std::string check_device(const std::string& device) {
  return is_device_name(device) ? "" : device + " is not auto, cpu, cuda or cuda:N";
}

}  // namespace

void add_device_options(CLI::App& command, DeviceOptions& options) {
  command.add_option("--device", options.device, "Compute device. auto: the first GPU, otherwise the CPU")
      ->check(CLI::Validator(check_device, "{auto,cpu,cuda,cuda:N}"))
      ->capture_default_str();
  command
      .add_option("--threads", options.threads,
                  "Number of CPU threads. 0: OMP_NUM_THREADS, otherwise one per processor that the process may use")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

void add_exact_convolution_option(CLI::App& command, bool& exact) {
  command.add_flag(
      "--exact-convolution", exact,
      "On the CPU, compute convolutions by direct sums: slower than Winograd's algorithm, smaller rounding errors");
}

Device DeviceOptions::choose(const OutputOptions& output) const {
  set_thread_count(threads);
  const DeviceChoice choice = choose_device(device);
  if (choice.why_no_gpu) output.note(fmt::format("working on the CPU: {}", *choice.why_no_gpu));
  return choice.device;
}

std::string json_text(const nlohmann::ordered_json& value) {
  return value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

void print_json(const nlohmann::ordered_json& value) { fmt::print("{}", json_text(value)); }

namespace {

std::string& speaker() {
  static std::string prefix = "melgrad: ";
  return prefix;
}

}  // namespace

void complain(const std::string& line) { note_on_stderr(speaker() + one_line(line)); }

void name_speaker(const std::string& name) { speaker() = name.empty() ? "melgrad: " : "melgrad: " + name + ": "; }

OutputLost::OutputLost(int error_number)
    : Exception(fmt::format("cannot write the results to stdout: {}; redirect them to another file",
                            std::strerror(error_number))),
      error_number_(error_number) {}

bool OutputLost::reader_is_gone() const { return error_number_ == EPIPE; }

void flush_output() {
  if (std::fflush(stdout) != 0) throw OutputLost(errno);
}

}  // namespace melgrad
