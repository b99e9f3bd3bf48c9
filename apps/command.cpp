#include "apps/command.h"

#include <omp.h>

#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>

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

// The GPU that "cuda" or "cuda:N" names; nothing when `device` is neither.
std::optional<int> gpu_index(std::string_view device) {
  constexpr std::string_view name = "cuda";
  if (!device.starts_with(name)) return std::nullopt;
  device.remove_prefix(name.size());
  if (device.empty()) return 0;
  int index = 0;
  const auto [end, status] = std::from_chars(device.data() + 1, device.data() + device.size(), index);
  const bool is_index = device[0] == ':' && status == std::errc() && end == device.data() + device.size() && index >= 0;
  return is_index ? std::optional(index) : std::nullopt;
}

std::string check_device(const std::string& device) {
  const bool known = device == "auto" || device == "cpu" || gpu_index(device);
  return known ? "" : device + " is not auto, cpu, cuda or cuda:N";
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
  if (const auto index = gpu_index(device)) {
    Stream::choose_gpu(*index);
    Stream::of(Device::cuda);  // throws when it is not there
    return Device::cuda;
  }
  if (device == "cpu" || !Stream::built_for_gpus) return Device::cpu;
  const auto reason = Stream::why_unavailable(Device::cuda);
  if (!reason) return Device::cuda;
  output.note(fmt::format("working on the CPU: {}", *reason));
  return Device::cpu;
}

std::string json_text(const nlohmann::ordered_json& value) {
  return value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

void print_json(const nlohmann::ordered_json& value) { fmt::print("{}", json_text(value)); }

}  // namespace melgrad
