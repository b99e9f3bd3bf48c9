// The op of docs/add_an_op.md.
#pragma once

#include "framework/tensor.h"

namespace melgrad {

// x * sigmoid(x), elementwise.
Tensor silu(const Tensor& x);

}  // namespace melgrad
