#include "kernels/device/cpu_level.h"

#include <cstdlib>
#include <string_view>

#include "kernels/device/error.h"

namespace melgrad::kernel {
namespace {

struct Candidate {
  CpuLevel level;
  bool supported;
};

CpuLevel choose() {
  const Candidate candidates[] = {
#if defined(__x86_64__)
    {CpuLevel::avx512, __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")},
    {CpuLevel::avx2, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
#endif
    {CpuLevel::portable, true},
  };
  const char* const variable = std::getenv("MELGRAD_CPU");
  for (const auto& [level, supported] : candidates) {
    if (variable && *variable ? std::string_view(variable) == name_of(level) : supported) {
      if (!supported) {
        throw UsageError(fmt::format("MELGRAD_CPU is {}, which this processor does not support", variable));
      }
      return level;
    }
  }
  throw UsageError(fmt::format("MELGRAD_CPU is '{}'; it must be portable, avx2 or avx512", variable));
}

}  // namespace

CpuLevel cpu_level() {
  static const CpuLevel chosen = choose();
  return chosen;
}

const char* name_of(CpuLevel level) {
  switch (level) {
    case CpuLevel::portable:
      return "portable";
    case CpuLevel::avx2:
      return "avx2";
    case CpuLevel::avx512:
      return "avx512";
  }
  return "?";
}

}  // namespace melgrad::kernel
