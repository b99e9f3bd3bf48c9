// The checks, shapes and counts that the files of ops share. `op` names the op in errors.
#pragma once

#include "framework/ops.h"
#include "kernels/device/convolution.h"
#include "kernels/max_pool2d.h"

namespace melgrad {

// Adds to multiply_adds() of this thread.
void count_multiply_adds(int64_t n);

// Throw Error unless the tensors fit.
void require_rank(const Tensor& x, size_t rank, const char* op);
void require_same_device(const Tensor& x, const Tensor& other, const char* op);
void require_same_dtype(const Tensor& x, const Tensor& w, const char* op);
void require_same_kind(const Tensor& a, const Tensor& b, const char* op);  // device, dtype and shape
// `vector`, a weight or a statistic, must hold one value per channel of x.
void require_per_channel(const Tensor& vector, const Tensor& x, int64_t channels, const char* op);

// The shapes of a convolution or of a pooling. Throw Error unless they fit.
kernel::Conv2d convolution_of(const Conv2dInput& in, const char* op);
Shape output_shape(const kernel::Conv2d& conv);
kernel::Pool2d pool_of(const Tensor& x, Pool2dOptions window, const char* op);

}  // namespace melgrad
