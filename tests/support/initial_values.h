// The initial weights of tests/fixtures/make_models.py, which PyTorch's results were computed from.
#pragma once

#include <cmath>
#include <vector>

#include "framework/module.h"
#include "tests/support/random.h"

namespace melgrad::test {

// The position in PyTorch's [out, in, rows, columns] memory of element i of a [out, rows, columns, in] weight. Returns
// i for parameters that are not convolution weights.
inline int64_t pytorch_index(const Shape& shape, int64_t i) {
  if (shape.rank() != 4) return i;
  const int64_t area = shape[1] * shape[2], channels = shape[3];
  const int64_t channel = i % channels, pixel = i / channels % area, out = i / (channels * area);
  return (out * channels + channel) * area + pixel;
}

// The initial values of the parameter with index p.
inline std::vector<float> initial_values(const Named& parameter, uint64_t p) {
  const Shape& shape = parameter.tensor.shape();
  const bool weight = parameter.name.ends_with("weight"), layer = shape.rank() >= 2;
  const double scale =
      weight && layer ? std::sqrt(3.0 * static_cast<double>(shape[0]) / static_cast<double>(shape.numel())) : 0.1;
  const std::vector<float> values = random_values(shape.numel(), 1000 + p, scale, weight && !layer ? 1 : 0);
  std::vector<float> result(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    result[i] = values[static_cast<size_t>(pytorch_index(shape, static_cast<int64_t>(i)))];
  }
  return result;
}

inline void set_initial_values(const Module& model) {
  uint64_t p = 0;
  for (Named& parameter : model.parameters()) {
    parameter.tensor.assign(Tensor::from(initial_values(parameter, p++), parameter.tensor.shape()));
  }
}

}  // namespace melgrad::test
