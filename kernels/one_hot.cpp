#include "kernels/one_hot.h"

namespace melgrad::kernel::cpu {

void one_hot(Stream&, const int32_t* labels, const int64_t* picks, float* y, int64_t batch, int64_t classes) {
  for (int64_t i = 0; i < batch; ++i) {
    for (int64_t c = 0; c < classes; ++c) *y++ = labels[picks[i]] == c ? 1.0f : 0.0f;
  }
}

}  // namespace melgrad::kernel::cpu
