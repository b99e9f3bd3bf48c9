// Differentiable operations. Activations are NHWC; every op works in the dtype and on the device of its first input and
// throws Error when shapes do not fit, naming them.
#pragma once

#include "framework/random.h"
#include "framework/tensor.h"

namespace melgrad {

Tensor relu(const Tensor& x);
// Elementwise sum of equal shapes.
Tensor add(const Tensor& a, const Tensor& b);
// The values as another dtype; the tensor itself when it has that one already.
Tensor cast(const Tensor& x, DType dtype);
// The same values under another shape, shared, not copied.
Tensor reshape(const Tensor& x, const Shape& shape);
// [N, ...] -> [N, everything else], in the order H, W, C.
Tensor flatten(const Tensor& x);

// x [N, H, W, C], w [K, R, S, C], bias [K] or undefined -> [N, H', W', K].
Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& bias, int64_t stride, int64_t padding);
// x [N, in], w [out, in], bias [out] or undefined -> [N, out].
Tensor linear(const Tensor& x, const Tensor& w, const Tensor& bias);
Tensor max_pool2d(const Tensor& x, int64_t kernel_size, int64_t stride, int64_t padding);
// -> [N, out_height, out_width, C]; 1 x 1 is global average pooling.
Tensor adaptive_avg_pool2d(const Tensor& x, int64_t out_height, int64_t out_width);

struct BatchNormState {
  Tensor running_mean, running_var;  // float32 [C]
  Tensor num_batches_tracked;        // uint64 scalar
};
// Training: normalises by the batch and updates the state (rows N * H * W >= 2). Evaluation: normalises by the state.
Tensor batch_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta, BatchNormState& state, bool training,
                  float momentum, float epsilon);

// Zeroes each element with the given probability and scales the rest by 1 / (1 - probability). The same `random` gives
// the same mask.
Tensor dropout(const Tensor& x, float probability, RandomStream random);

// The mean over the batch of the cross-entropy between softmax(logits) [N, classes] and float32 targets [N, classes],
// one-hot or soft: a scalar. Targets get no gradient.
Tensor cross_entropy(const Tensor& logits, const Tensor& targets, float label_smoothing = 0);
// float32 probabilities [N, classes]; not differentiable.
Tensor softmax(const Tensor& logits);

// Multiply-adds of the convolutions and linear layers that ran forward on this thread so far.
int64_t multiply_adds();

}  // namespace melgrad
