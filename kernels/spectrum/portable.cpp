// SSE2 on x86-64, NEON on arm64, whatever the compiler makes of vectors elsewhere. CMakeLists.txt sets the instruction
// set of this file.
#define MELGRAD_LEVEL portable
#define MELGRAD_LANES 4

#include "kernels/spectrum/level_functions.h"

namespace melgrad::kernel::spectrum {

const Level portable_level = portable::functions();

}  // namespace melgrad::kernel::spectrum
