#include "kernels/device/tf32.h"

#include <atomic>

namespace melgrad::kernel {
namespace {

std::atomic<bool> wanted = false;

}

void set_tf32(bool on) { wanted = on; }
bool tf32() { return wanted; }

}  // namespace melgrad::kernel
