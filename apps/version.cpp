#include "apps/version.h"

#include <fmt/format.h>
#include <git_commit.h>

#include <nlohmann/json.hpp>

#include "framework/io/library_versions.h"
#include "kernels/device/hardware.h"
#include "kernels/device/stream.h"

namespace melgrad {
namespace {

using nlohmann::ordered_json;

ordered_json build() {
  return {{"commit", MELGRAD_GIT_COMMIT},
          {"type", MELGRAD_BUILD_TYPE},
          {"compiler", MELGRAD_COMPILER},
          {"device", MELGRAD_DEVICE}};
}

ordered_json libraries() {
  ordered_json result;
  for (const auto& [name, version] : library_versions()) result[name] = version;
  return result;
}

ordered_json devices() {
  const Processor cpu = processor();
  ordered_json result = ordered_json::array();
  result.push_back(
      {{"device", "cpu"}, {"name", cpu.name}, {"threads", cpu.threads}, {"instructions", cpu.instructions}});
  int index = 0;
  for (const GpuInfo& gpu : gpus()) {
    result.push_back({{"device", fmt::format("cuda:{}", index++)},
                      {"name", gpu.name},
                      {"compute_capability", gpu.compute_capability},
                      {"memory_bytes", gpu.memory_bytes}});
  }
  return result;
}

}  // namespace

std::string version_number() { return MELGRAD_VERSION; }

std::string version_line() { return "melgrad " + version_number(); }

std::string version_json() {
  ordered_json result{{"name", "melgrad"},
                      {"version", version_number()},
                      {"build", build()},
                      {"libraries", libraries()},
                      {"devices", devices()}};
  const auto no_gpu = Stream::why_unavailable(Device::cuda);
  result["no_gpu_because"] = no_gpu ? ordered_json(*no_gpu) : ordered_json();
  return result.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace melgrad
