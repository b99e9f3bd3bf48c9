// AVX-512 (F, VL, DQ and BW). CMakeLists.txt sets the instruction set of this file.
#if defined(__x86_64__)
#define MELGRAD_LEVEL avx512
#define MELGRAD_LANES 16

#include "kernels/spectrum/level_functions.h"

namespace melgrad::kernel::spectrum {

const Level avx512_level = avx512::functions();

}  // namespace melgrad::kernel::spectrum
#endif
