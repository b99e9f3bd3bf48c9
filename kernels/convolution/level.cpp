#include "kernels/convolution/level.h"

#include <cstdlib>
#include <string_view>

#include "kernels/device/error.h"

namespace melgrad::kernel::convolution {
namespace {

struct Candidate {
  const Level& level;
  bool supported;
};

const Level& choose() {
  const Candidate candidates[] = {
#if defined(__x86_64__)
    {avx512_level, __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")},
    {avx2_level, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
#endif
    {portable_level, true},
  };
  const char* const variable = std::getenv("MELGRAD_CPU");
  for (const Candidate& candidate : candidates) {
    if (variable && *variable ? std::string_view(variable) == candidate.level.name : candidate.supported) {
      if (!candidate.supported) {
        throw UsageError(fmt::format("MELGRAD_CPU is {}, which this processor does not support", variable));
      }
      return candidate.level;
    }
  }
  throw UsageError(fmt::format("MELGRAD_CPU is '{}'; it must be portable, avx2 or avx512", variable));
}

}  // namespace

const Level& level() {
  static const Level& chosen = choose();
  return chosen;
}

}  // namespace melgrad::kernel::convolution
