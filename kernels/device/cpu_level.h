// The instruction sets for which the innermost loops of the CPU are compiled. Each such loop exists once per level; the
// program chooses one level for all of them when it starts to compute.
#pragma once

#include <cstddef>

namespace melgrad::kernel {

// SSE2 or NEON; AVX2 and FMA; AVX-512 (F, VL, DQ and BW).
enum class CpuLevel { portable, avx2, avx512 };

// The level of this process: the best that the processor has, or the one that the environment variable MELGRAD_CPU
// names (portable, avx2 or avx512). Throws UsageError if MELGRAD_CPU is anything else or the processor lacks it.
CpuLevel cpu_level();

// The value of MELGRAD_CPU that chooses a level.
const char* name_of(CpuLevel);

// The one of `variants` for the level of this process. They are in the order of CpuLevel, without those of levels that
// no processor of this architecture has.
template <class T, class... More>
const T& for_cpu_level(const T& portable, const More&... more) {
  const T* const variants[] = {&portable, &more...};
  return *variants[static_cast<size_t>(cpu_level())];
}

}  // namespace melgrad::kernel
