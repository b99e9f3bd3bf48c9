// Differentiable operations. Activations are NHWC. Every op computes on the device of its first input, and its output
// has the dtype of its first input unless stated otherwise. An op throws Error, which names the shapes, when they do
// not fit.
#pragma once

#include "framework/random.h"
#include "framework/tensor.h"

namespace melgrad {

// Elementwise a + b, a - b and a * b. Shape and dtype of a and b must be equal: there is no broadcasting.
Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }

// All elements -> a float32 scalar.
Tensor sum(const Tensor& x);
Tensor mean(const Tensor& x);

Tensor relu(const Tensor& x);
// Converts between float32 and bfloat16 or float16. Returns x itself if it already has that dtype.
Tensor cast(const Tensor& x, DType dtype);
// Another shape with as many elements. The result shares the values of x.
Tensor reshape(const Tensor& x, const Shape& shape);
// [N, H, W, C] -> [N, H * W * C]; any shape of one dimension or more.
Tensor flatten(const Tensor& x);

// a [M, K], b [K, N] -> [M, N].
Tensor matmul(const Tensor& a, const Tensor& b);

// x [N, H, W, C], w [K, R, S, C], bias [K] or undefined -> [N, H', W', K].
Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& bias, int64_t stride, int64_t padding);
// x [N, in], w [out, in], bias [out] or undefined -> [N, out].
Tensor linear(const Tensor& x, const Tensor& w, const Tensor& bias);
// x [N, H, W, C] -> [N, H', W', C].
Tensor max_pool2d(const Tensor& x, int64_t kernel_size, int64_t stride, int64_t padding);
// x [N, H, W, C] -> [N, out_height, out_width, C]. An output of 1 x 1 is global average pooling.
Tensor adaptive_avg_pool2d(const Tensor& x, int64_t out_height, int64_t out_width);

struct BatchNormState {
  Tensor running_mean, running_var;  // float32 [C]
  Tensor num_batches_tracked;        // uint64 scalar
};
struct BatchNormOptions {
  bool training = true;
  float momentum = 0.1f, epsilon = 1e-5f;
};
// x [..., C], gamma and beta float32 [C]. Training normalises by the statistics of the batch and updates `state`; each
// channel needs at least two values. Evaluation normalises by `state`.
Tensor batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, BatchNormState& state,
                  BatchNormOptions options);
// relu(batch_norm(x, ...)) in fewer passes over memory.
Tensor batch_norm_relu(const Tensor& x, const Tensor& gamma, const Tensor& beta, BatchNormState& state,
                       BatchNormOptions options);
// relu(batch_norm(x, ...) + residual) in fewer passes over memory. `residual` has the shape and dtype of x.
Tensor batch_norm_add_relu(const Tensor& x, const Tensor& residual, const Tensor& gamma, const Tensor& beta,
                           BatchNormState& state, BatchNormOptions options);
// relu(batch_norm(a.x, ...) + batch_norm(b.x, ...)) in fewer passes over memory. a.x and b.x have the same shape and
// dtype.
struct BatchNormInput {
  Tensor x, gamma, beta;
  BatchNormState& state;
};
Tensor batch_norm_sum_relu(const BatchNormInput& a, const BatchNormInput& b, BatchNormOptions options);

// max_pool2d(relu(batch_norm(x, ...)), ...) in fewer passes over memory. x [N, H, W, C] -> [N, H', W', C].
struct Pool2dOptions {
  int64_t kernel_size = 2, stride = 2, padding = 0;
};
Tensor batch_norm_relu_max_pool2d(const Tensor& x, const Tensor& gamma, const Tensor& beta, BatchNormState& state,
                                  BatchNormOptions options, Pool2dOptions pooling);

// batch_norm_relu or batch_norm_add_relu of conv2d without a bias, or batch_norm alone, in one pass over memory on the
// CPU. Only for evaluation: throws Error if options.training, and the result has no gradient.
struct Conv2dInput {
  Tensor x, w;  // as in conv2d
  int64_t stride, padding;
};
struct BatchNormFollowers {
  Tensor residual;  // undefined for none
  bool relu = false;
};
Tensor conv2d_batch_norm(const Conv2dInput& in, const Tensor& gamma, const Tensor& beta, BatchNormState& state,
                         BatchNormOptions options, const BatchNormFollowers& followers);

// Sets each element to 0 with the given probability and multiplies the others by 1 / (1 - probability). The same
// `random` gives the same mask. The first dimension of x is the batch, in which random.first is the place of x.
Tensor dropout(const Tensor& x, float probability, RandomStream random);

// The cross-entropy between softmax(logits) [N, classes] and float32 targets [N, classes], one-hot or soft, averaged
// over the batch: a float32 scalar. Targets get no gradient.
Tensor cross_entropy(const Tensor& logits, const Tensor& targets, float label_smoothing = 0);
// logits [N, classes] -> float32 probabilities [N, classes]. Not differentiable.
Tensor softmax(const Tensor& logits);

// Statistics of bands over time (kernels/band_statistics.h): float32 x [N, n_mels, frames, 1] -> [N, 5 * bands]. Not
// differentiable.
Tensor band_statistics(const Tensor& x, int64_t bands);

// The number of multiply-adds in all forward convolutions and matrix products on this thread so far.
int64_t multiply_adds();

}  // namespace melgrad
