// Comparison of gradients with central differences, which do not use the backward pass.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>

#include "framework/tensor.h"

namespace melgrad::test {

using Tensors = std::map<std::string, Tensor>;

struct Difference {
  float step;
  double tolerance;  // relative to the largest gradient, or absolute if that is below 1; without the rounding of y
};
// A function that is linear in each input has no curvature, so a large step is exact and makes the rounding of y
// negligible.
constexpr Difference multilinear{.step = 1, .tolerance = 1e-5};
constexpr Difference smooth{.step = 1e-2f, .tolerance = 1e-4};

// Expects the gradient of every input, computed by forward(inputs).backward(dy), to equal the slope of
// sum(dy * forward(inputs)), where y is computed in float32 and summed in double precision.
inline void expect_gradients_are_slopes(const std::function<Tensor(const Tensors&)>& forward, const Tensors& inputs,
                                        const Tensor& dy, Difference difference) {
  forward(inputs).backward(dy);
  const std::vector<float> weights = dy.to_vector();
  double rounding = 0;
  const auto loss = [&] {
    const NoGrad guard;
    const std::vector<float> y = forward(inputs).to_vector();
    double sum = 0, squares = 0;
    for (size_t i = 0; i < y.size(); ++i) {
      const double term = static_cast<double>(weights[i]) * static_cast<double>(y[i]);
      sum += term;
      squares += term * term;
    }
    // Each element of y is rounded independently, by up to half a unit in the last place.
    rounding = std::numeric_limits<float>::epsilon() * std::sqrt(squares);
    return sum;
  };
  for (const auto& named : inputs) {
    const Tensor& input = named.second;
    if (!input.requires_grad()) continue;
    SCOPED_TRACE("the gradient of " + named.first);
    const std::vector<float> gradient = input.grad().to_vector(), values = input.to_vector();
    double largest = 1;
    for (const float value : gradient) largest = std::max(largest, std::abs(static_cast<double>(value)));
    Tensor handle = input;
    std::vector<float> shifted = values;
    const auto loss_at = [&](size_t i, float value) {
      shifted[i] = value;
      handle.assign(Tensor::from(shifted, input.shape()));
      return loss();
    };
    for (size_t i = 0; i < values.size(); ++i) {
      const float up = values[i] + difference.step, down = values[i] - difference.step;
      const double slope = (loss_at(i, up) - loss_at(i, down)) / (static_cast<double>(up) - static_cast<double>(down));
      shifted[i] = values[i];
      const double allowed = difference.tolerance * largest + rounding / static_cast<double>(difference.step);
      ASSERT_NEAR(static_cast<double>(gradient[i]), slope, allowed) << "element " << i;
    }
    handle.assign(Tensor::from(values, input.shape()));
  }
}

// Shuffled values at least 4 apart and 2 from zero: a step of `multilinear` crosses no kink of a ReLU and changes no
// maximum of a window.
inline std::vector<float> values_off_kinks(int64_t n) {
  constexpr int64_t large_prime = 2654435761;
  const int64_t middle = n / 2;
  std::vector<float> values(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i)
    values[static_cast<size_t>(i)] = static_cast<float>(4 * (i * large_prime % n - middle) + 2);
  return values;
}

}  // namespace melgrad::test
