// AVX2 and FMA, which x86-64 processors have since 2013. CMakeLists.txt sets the instruction set of this file.
#if defined(__x86_64__)
#define MELGRAD_LEVEL avx2
#define MELGRAD_LANES 8
#define MELGRAD_REGISTERS 12

#include "kernels/convolution/level_functions.h"

namespace melgrad::kernel::convolution {

const Level avx2_level = avx2::functions();

}  // namespace melgrad::kernel::convolution
#endif
