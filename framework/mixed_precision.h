// Mixed precision: the optimizer keeps each weight in float32, and the layers compute with a 16-bit copy of it.
// - An optimizer makes the copies with keep_compute_copy() and rewrites them in every step.
// - cast() (ops.h) to the copy's dtype returns the copy, so that no forward pass converts the weight again.
// - The gradient of a tensor that has a copy has the copy's dtype, as the layers computed it.
// - Tensor::assign() renews the copy, Tensor::move_to() drops it.
// The copy belongs to the tensor, not to the handle: all handles of one tensor see it; a view does not.
#pragma once

#include "framework/tensor.h"

namespace melgrad {

// Makes a copy of `dtype`, bfloat16 or float16, of a float32 parameter that has two dimensions or more. Does nothing
// for other parameters (biases, batch norm), which the layers read in float32.
void keep_compute_copy(const Tensor& parameter, DType dtype);
// Returns the copy, or an undefined tensor if there is none.
Tensor compute_copy(const Tensor& tensor);
// Writes the values of the tensor to its copy, if it has one. Call it after writing the values through data().
void renew_compute_copy(const Tensor& tensor);
// The element type of the tensor's gradient.
DType gradient_dtype(const Tensor& tensor);

}  // namespace melgrad
