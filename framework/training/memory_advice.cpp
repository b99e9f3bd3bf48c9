#include "framework/training/memory_advice.h"

#include <algorithm>
#include <cmath>

#include "kernels/device/ceil_divide.h"
#include "kernels/device/stream.h"

namespace melgrad {

std::string batch_size_advice(size_t capacity, int64_t batch_size, int64_t parts, int64_t ranks,
                              const std::function<size_t(int64_t)>& peak_bytes) {
  constexpr double margin = 0.9;  // the allocator rounds sizes up, and free memory may be fragmented
  try {
    const int64_t part = ceil_divide(batch_size, parts);
    const int64_t small = std::max<int64_t>(1, part / 16), large = 2 * small;
    const auto at_small = static_cast<double>(peak_bytes(small)), at_large = static_cast<double>(peak_bytes(large));
    const double per_example = (at_large - at_small) / static_cast<double>(small);
    const double available = margin * (static_cast<double>(capacity) - at_small);
    const auto fitting = small + static_cast<int64_t>(std::floor(available / per_example));
    if (fitting >= 1 && fitting < part) {
      return fmt::format("--batch-size {} would fit; --accumulate {} keeps the batch size", fitting * parts,
                         ceil_divide(batch_size, fitting * ranks));
    }
  } catch (const OutOfMemory&) {
    return "use a smaller model or smaller inputs";
  }
  return "use a smaller --batch-size, or a larger --accumulate, which keeps the batch size";
}

}  // namespace melgrad
