// The memory use of a device, and the exception for an allocation that fails.
#pragma once

#include <cstddef>
#include <string>

#include "kernels/device/error.h"

namespace melgrad {

// Bytes. `used`: allocated by callers now. `peak`: the largest `used` since the last reset. `held`: taken from the
// system, cached blocks included.
struct MemoryUse {
  size_t used = 0, peak = 0, held = 0;
};

// "24.0 MiB"
inline std::string mebibytes(size_t bytes) { return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20)); }

// An allocation failed. `capacity` is the most that the program could use: the bytes it uses plus the free bytes.
class OutOfMemory : public Exception {
 public:
  OutOfMemory(const std::string& message, size_t capacity_bytes) : Exception(message), capacity(capacity_bytes) {}
  size_t capacity;
};

}  // namespace melgrad
