#include "kernels/spec_augment.h"

#include <algorithm>

namespace melgrad::kernel::cpu {
namespace {

struct Mask {
  int64_t begin, width;
  // Of at most `most` of an axis's elements.
  Mask(const Philox4& bits, int64_t most, int64_t axis) : width(uniform_integer(bits.v[0], std::min(most, axis) + 1)) {
    begin = uniform_integer(bits.v[1], axis - width + 1);
  }
};

}  // namespace

void spec_augment(Stream&, void* x, DType dtype, int64_t batch, int64_t n_mels, int64_t frames, SpecAugment settings,
                  RandomStream random) {
  require_float32(dtype, "spec_augment");
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < batch; ++i) {
    float* const example = static_cast<float*>(x) + i * n_mels * frames;
    uint64_t index = static_cast<uint64_t>(i * (settings.frequency_masks + settings.time_masks));
    for (int64_t m = 0; m < settings.frequency_masks; ++m) {
      const Mask mask(random.draw(index++), settings.frequency_width, n_mels);
      std::fill_n(example + mask.begin * frames, mask.width * frames, 0.0f);
    }
    for (int64_t m = 0; m < settings.time_masks; ++m) {
      const Mask mask(random.draw(index++), settings.time_width, frames);
      for (int64_t mel = 0; mel < n_mels; ++mel) std::fill_n(example + mel * frames + mask.begin, mask.width, 0.0f);
    }
  }
}

}  // namespace melgrad::kernel::cpu
