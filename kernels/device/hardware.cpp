#include "kernels/device/hardware.h"

#include <fstream>
#include <utility>

#include "kernels/device/cpu_level.h"
#include "kernels/device/thread_pool.h"

namespace melgrad {
namespace {

std::string model_name() {
  std::ifstream file("/proc/cpuinfo");
  const std::string key = "model name";
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) return line.substr(line.find(": ") + 2);
  }
  return "unknown";
}

}  // namespace

Processor processor() {
  Processor result{.name = model_name(), .threads = thread_count(), .instructions = {}};
#if defined(__x86_64__)
  const std::pair<const char*, bool> known[] = {{"avx2", __builtin_cpu_supports("avx2") != 0},
                                                {"fma", __builtin_cpu_supports("fma") != 0},
                                                {"avx512f", __builtin_cpu_supports("avx512f") != 0},
                                                {"avx512bw", __builtin_cpu_supports("avx512bw") != 0},
                                                {"avx512vnni", __builtin_cpu_supports("avx512vnni") != 0},
                                                {"avx512bf16", __builtin_cpu_supports("avx512bf16") != 0}};
  for (const auto& [name, present] : known) {
    if (present) result.instructions.emplace_back(name);
  }
#endif
  return result;
}

std::string instruction_set() {
  switch (kernel::cpu_level()) {
    case kernel::CpuLevel::avx512:
      return "AVX-512";
    case kernel::CpuLevel::avx2:
      return "AVX2";
    default:
      return name_of(kernel::cpu_level());
  }
}

#if !MELGRAD_CUDA  // CUDA builds: stream.cu
std::vector<GpuInfo> gpus() { return {}; }
#endif

}  // namespace melgrad
