#include "kernels/cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "kernels/device/parallel.h"

namespace melgrad::kernel::cpu {
namespace {

constexpr int64_t chunk_rows = 16;

// log(sum(exp(logits))) = maximum + log_sum. The two parts are kept apart because their sum would be rounded.
struct LogSumExp {
  float maximum;
  double log_sum;

  LogSumExp(const float* logits, int64_t classes) : maximum(*std::max_element(logits, logits + classes)) {
    double sum = 0;
    for (int64_t c = 0; c < classes; ++c) sum += static_cast<double>(std::exp(logits[c] - maximum));
    log_sum = std::log(sum);
  }
  double log_softmax(float logit) const { return static_cast<double>(logit - maximum) - log_sum; }
};

}  // namespace

void cross_entropy(Stream&, const void* logits, const float* targets, float* loss, void* dlogits, DType dtype,
                   int64_t n, int64_t classes, float label_smoothing) {
  require_float32(dtype, "cross_entropy");
  const auto* in = static_cast<const float*>(logits);
  auto* d_in = static_cast<float*>(dlogits);
  const double batch = static_cast<double>(n),
               uniform_part = static_cast<double>(label_smoothing) / static_cast<double>(classes);
  const auto smoothed = [&](float target) {
    return (1 - static_cast<double>(label_smoothing)) * static_cast<double>(target) + uniform_part;
  };
  const double sum = chunked_sum(n, chunk_rows, [&](int64_t begin, int64_t end) {
    double chunk = 0;
    for (int64_t row = begin; row < end; ++row) {
      const float* const z = in + row * classes;
      const float* const t = targets + row * classes;
      const LogSumExp normaliser(z, classes);
      double mass = 0;
      for (int64_t c = 0; c < classes; ++c) {
        mass += smoothed(t[c]);
        chunk -= smoothed(t[c]) * normaliser.log_softmax(z[c]);
      }
      for (int64_t c = 0; d_in && c < classes; ++c) {
        const double softmax = std::exp(normaliser.log_softmax(z[c]));
        d_in[row * classes + c] = static_cast<float>((softmax * mass - smoothed(t[c])) / batch);
      }
    }
    return chunk;
  });
  *loss = static_cast<float>(sum / batch);
}

void softmax(Stream&, const void* logits, float* probabilities, DType dtype, int64_t n, int64_t classes) {
  require_float32(dtype, "softmax");
  const auto* in = static_cast<const float*>(logits);
  for_each_chunk(n, chunk_rows, [&](int64_t, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const LogSumExp normaliser(in + row * classes, classes);
      for (int64_t i = row * classes; i < (row + 1) * classes; ++i) {
        probabilities[i] = static_cast<float>(std::exp(normaliser.log_softmax(in[i])));
      }
    }
  });
}

}  // namespace melgrad::kernel::cpu
