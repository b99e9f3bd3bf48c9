#include "kernels/convolution/level.h"

#include "kernels/device/cpu_level.h"

namespace melgrad::kernel::convolution {

const Level& level() {
  switch (cpu_level()) {
#if defined(__x86_64__)
    case CpuLevel::avx512:
      return avx512_level;
    case CpuLevel::avx2:
      return avx2_level;
#endif
    default:
      return portable_level;
  }
}

}  // namespace melgrad::kernel::convolution
