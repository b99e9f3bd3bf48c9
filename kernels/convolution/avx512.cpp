// AVX-512 (F, VL, DQ and BW). CMakeLists.txt sets the instruction set of this file.
#if defined(__x86_64__)
#define MELGRAD_LEVEL avx512
#define MELGRAD_LANES 16
#define MELGRAD_REGISTERS 24

#include "kernels/convolution/level_functions.h"

namespace melgrad::kernel::convolution {

const Level avx512_level = avx512::functions();

}  // namespace melgrad::kernel::convolution
#endif
