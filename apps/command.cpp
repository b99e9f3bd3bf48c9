#include "apps/command.h"

#include <omp.h>

#include <cstdio>

#include "kernels/error.h"

namespace melgrad {

void OutputOptions::note(const std::string& line) const {
  if (!quiet) fmt::print(stderr, "{}\n", line);
}

void add_output_options(CLI::App& command, OutputOptions& options) {
  command.add_flag("--json", options.json, "Print the result as JSON on stdout");
  command.add_flag("--quiet", options.quiet, "No progress and no notes on stderr");
}

void add_device_options(CLI::App& command, DeviceOptions& options) {
  command.add_option("--device", options.device, "Where to compute")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  command.add_option("--threads", options.threads, "CPU threads; 0 takes one a core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

Device DeviceOptions::choose() const {
  if (threads > 0) omp_set_num_threads(threads);
  const Device chosen = device == "cuda" ? Device::cuda : Device::cpu;
  Stream::of(chosen);  // throws when it is not there
  return chosen;
}

void print_json(const nlohmann::ordered_json& value) {
  fmt::print("{}\n", value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace melgrad
