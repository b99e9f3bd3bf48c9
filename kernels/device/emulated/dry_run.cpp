#include "kernels/device/emulated/dry_run.h"

#include <cstdlib>

bool emulated_cuda::is_dry_run() {
  static const bool value = std::getenv("MELGRAD_EMULATED_DRY_RUN") != nullptr;
  return value;
}
