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
    for (int64_t i = begin; i < end; i += 4) {
      const Philox4 bits = random.draw(static_cast<uint64_t>(i / 4));
      for (int64_t lane = 0; lane < std::min<int64_t>(4, end - i); ++lane) {
        out[i + lane] = uniform(bits.v[lane]) >= probability ? in[i + lane] * kept : 0.0f;
      }
    }
  });
}

}  // namespace melgrad::kernel::cpu
