#include "kernels/device/device_choice.h"

#include <charconv>

namespace melgrad {
namespace {

// The index in "cuda" (0) or "cuda:N"; empty for any other name.
std::optional<int> gpu_index(std::string_view name) {
  constexpr std::string_view cuda = "cuda";
  if (!name.starts_with(cuda)) return std::nullopt;
  name.remove_prefix(cuda.size());
  if (name.empty()) return 0;
  int index = 0;
  const auto [end, status] = std::from_chars(name.data() + 1, name.data() + name.size(), index);
  const bool is_index = name[0] == ':' && status == std::errc() && end == name.data() + name.size() && index >= 0;
  return is_index ? std::optional(index) : std::nullopt;
}

}  // namespace

bool is_device_name(std::string_view name) { return name == "auto" || name == "cpu" || gpu_index(name); }

DeviceChoice choose_device(std::string_view name) {
  if (const auto index = gpu_index(name)) {
    Stream::choose_gpu(*index);
    Stream::of(Device::cuda);  // throws if it cannot be used
    return {Device::cuda, std::nullopt};
  }
  if (!is_device_name(name)) fail("there is no device '{}': use auto, cpu, cuda or cuda:N", name);
  if (name == "cpu" || !Stream::built_for_gpus) return {Device::cpu, std::nullopt};
  auto reason = Stream::why_unavailable(Device::cuda);
  return {reason ? Device::cpu : Device::cuda, std::move(reason)};
}

void require_device(std::string_view name) {
  const auto index = gpu_index(name);
  if (!index) return;
  Stream::choose_gpu(*index);
  if (const auto reason = Stream::why_unavailable(Device::cuda)) fail("{}; use --device cpu", *reason);
}

}  // namespace melgrad
