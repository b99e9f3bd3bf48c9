#include "kernels/dropout.h"

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {

void dropout(Stream&, const void* x, void* y, DType dtype, int64_t n, float probability, RandomStream random) {
  require_float32(dtype, "dropout");
  MELGRAD_CHECK(probability >= 0 && probability < 1, "dropout: the probability {} is not in [0, 1)", probability);
  const auto* in = static_cast<const float*>(x);
  auto* out = static_cast<float*>(y);
  const float kept = 1 / (1 - probability);
  for_each_chunk(n, 4096, [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end;) {
      const uint64_t element = random.place(i);
      const Philox4 bits = random.draw(element / 4);
      for (uint64_t lane = element % 4; lane < 4 && i < end; ++lane, ++i) {
        out[i] = uniform(bits.v[lane]) >= probability ? in[i] * kept : 0.0f;
      }
    }
  });
}

}  // namespace melgrad::kernel::cpu
