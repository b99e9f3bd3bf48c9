// The parameters and buffers of a model as safetensors with PyTorch's names, shapes and dtypes, so that
// load_state_dict(strict=True) loads them. Convolution weights are [out, height, width, in] in memory and
// [out, in, height, width] in the file.
#pragma once

#include <string>
#include <vector>

#include "framework/io/safetensors.h"
#include "framework/module.h"

namespace melgrad {

// A tensor with the name, shape and dtype of the file, without values.
SafeTensor without_values(const Named& named);
// Sets the values, given in the order of memory.
void set_values(SafeTensor& tensor, std::vector<std::byte> values);

// Copies of all parameters and buffers, ready to be written. Waits for the device.
std::vector<SafeTensor> state_dict(const Module& model);

// Copies the tensor named prefix + name of `source` to each target. Throws Error naming `file` and a tensor that is
// missing or has another shape or dtype.
void load_tensors(std::vector<Named> targets, const SafeTensors& source, const std::string& prefix,
                  const std::string& file);
// Loads all parameters and buffers of the model. Throws Error when `source` has further tensors, except those whose
// names begin with `ignored_prefix`.
void load_state_dict(const Module& model, const SafeTensors& source, const std::string& ignored_prefix,
                     const std::string& file);

// Throws Error naming `file`, which the values come from, and a tensor if a float32 value is not finite or a variance
// is negative. Waits for the device.
void require_finite_values(const Module& model, const std::string& file);

}  // namespace melgrad
