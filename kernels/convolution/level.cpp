#include "kernels/convolution/level.h"

#include "kernels/device/cpu_level.h"

namespace melgrad::kernel::convolution {

const Level& level() {
#if defined(__x86_64__)
  return for_cpu_level(portable_level, avx2_level, avx512_level);
#else
  return for_cpu_level(portable_level);
#endif
}

}  // namespace melgrad::kernel::convolution
