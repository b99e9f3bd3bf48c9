#include "apps/command.h"

#include <omp.h>

#include <cstdio>

#include "framework/device_choice.h"
#include "framework/text.h"
#include "kernels/error.h"

namespace melgrad {

void print_error(const std::string& message) { fmt::print(stderr, "melgrad: {}\n", one_line(message)); }

void OutputOptions::note(const std::string& line) const {
  if (!quiet) fmt::print(stderr, "{}\n", one_line(line));
}

void add_output_options(CLI::App& command, OutputOptions& options) {
  command.add_flag("--json", options.json, "Print the result as JSON on stdout");
  command.add_flag("--quiet", options.quiet, "No progress and no notes on stderr");
}

namespace {

std::string check_device(const std::string& device) {
  return is_device_name(device) ? "" : device + " is not auto, cpu, cuda or cuda:N";
}

}  // namespace

void add_device_options(CLI::App& command, DeviceOptions& options) {
  command.add_option("--device", options.device, "Where to compute; auto takes a GPU where there is one")
      ->check(CLI::Validator(check_device, "{auto,cpu,cuda,cuda:N}"))
      ->capture_default_str();
  command.add_option("--threads", options.threads, "CPU threads; 0 takes one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

Device DeviceOptions::choose(const OutputOptions& output) const {
  if (threads > 0) omp_set_num_threads(threads);
  const DeviceChoice choice = choose_device(device);
  if (choice.why_no_gpu) output.note(fmt::format("working on the CPU: {}", *choice.why_no_gpu));
  return choice.device;
}

std::string json_text(const nlohmann::ordered_json& value) {
  return value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

void print_json(const nlohmann::ordered_json& value) { fmt::print("{}", json_text(value)); }

}  // namespace melgrad
