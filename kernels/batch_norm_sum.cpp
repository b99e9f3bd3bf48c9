#include "kernels/batch_norm_sum.h"

#include <vector>

#include "kernels/batch_norm_factors.h"
#include "kernels/column_loops.h"
#include "kernels/relu.h"

namespace melgrad::kernel::cpu {
namespace {

struct TermFactors {
  std::vector<float> inverse_std, scale;  // [channels]

  TermFactors(const BatchNormNormalization& n, int64_t channels)
      : inverse_std(inverse_std_of(n.constants, channels)),
        scale(scales(n.affine.gamma, inverse_std.data(), channels)) {}
  Normalization normalization(const BatchNormNormalization& n) const {
    return {n.constants.mean, scale.data(), n.affine.beta};
  }
};

}  // namespace

void batch_norm_sum_forward(Stream&, BatchNormTerm a, BatchNormTerm b, void* y, BatchNormSize size) {
  require_float32(size.dtype, "batch_norm_sum_forward");
  const TermFactors of_a(a.normalization, size.channels), of_b(b.normalization, size.channels);
  for_each_element(
      size.rows, size.channels,
      [out = static_cast<float*>(y), x = static_cast<const float*>(a.x), other = static_cast<const float*>(b.x),
       normalize = of_a.normalization(a.normalization), normalize_other = of_b.normalization(b.normalization)](
          int64_t i, int64_t c) { out[i] = Relu()(normalize(x[i], c) + normalize_other(other[i], c)); });
}

void batch_norm_sum_backward(Stream&, BatchNormTerm a, BatchNormTerm b, const void* dy, const void* second_dy,
                             bool training, BatchNormTermGradient da, BatchNormTermGradient db, BatchNormSize size) {
  require_float32(size.dtype, "batch_norm_sum_backward");
  const int64_t channels = size.channels;
  const TermFactors factors_a(a.normalization, channels), factors_b(b.normalization, channels);
  const Normalization of_a = factors_a.normalization(a.normalization), of_b = factors_b.normalization(b.normalization);
  const auto *const xa = static_cast<const float*>(a.x), *const xb = static_cast<const float*>(b.x);
  const auto *const d = static_cast<const float*>(dy), *const second = static_cast<const float*>(second_dy);
  const auto backward = [&](auto gradient_of_y) {
    const auto gradient = [=](int64_t i, int64_t c) {
      return ReluGradient()(of_a(xa[i], c) + of_b(xb[i], c), gradient_of_y(i));
    };
    const auto [sum, sum_a, sum_b] = sum_columns<float, 3>(size.rows, channels, [=](int64_t i, int64_t c, auto add) {
      const float dz = gradient(i, c);
      add(dz, dz * (xa[i] - of_a.mean[c]), dz * (xb[i] - of_b.mean[c]));
    });
    for (int64_t c = 0; c < channels; ++c) {
      const auto k = static_cast<size_t>(c);
      da.dbeta[c] = db.dbeta[c] = static_cast<float>(sum[k]);
      da.dgamma[c] = static_cast<float>(sum_a[k] * factors_a.inverse_std[k]);
      db.dgamma[c] = static_cast<float>(sum_b[k] * factors_b.inverse_std[k]);
    }
    const float share = training ? 1 / static_cast<float>(size.rows) : 0.0f;
    const DataGradient gradient_a(factors_a.inverse_std.data(), da.dgamma, da.dbeta, share, channels);
    const DataGradient gradient_b(factors_b.inverse_std.data(), db.dgamma, db.dbeta, share, channels);
    for_each_element(
        size.rows, channels,
        [=, dxa = static_cast<float*>(da.dx), dxb = static_cast<float*>(db.dx), offset = gradient_a.offset.data(),
         slope_a = gradient_a.slope.data(), slope_b = gradient_b.slope.data()](int64_t i, int64_t c) {
          const float dz = gradient(i, c) - offset[c];  // dbeta is the same for both
          dxa[i] = of_a.scale[c] * (dz - slope_a[c] * (xa[i] - of_a.mean[c]));
          dxb[i] = of_b.scale[c] * (dz - slope_b[c] * (xb[i] - of_b.mean[c]));
        });
  };
  if (second) {
    backward([=](int64_t i) { return d[i] + second[i]; });
  } else {
    backward([=](int64_t i) { return d[i]; });
  }
}

}  // namespace melgrad::kernel::cpu
