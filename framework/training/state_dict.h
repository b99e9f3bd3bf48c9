// A model's parameters and buffers as safetensors, in PyTorch's names, shapes and dtypes: convolution weights, here
// [out, height, width, in], are [out, in, height, width] in the file, so torch's load_state_dict(strict=True) takes it.
#pragma once

#include <string>
#include <vector>

#include "framework/io/safetensors.h"
#include "framework/module.h"

namespace melgrad {

// Waits for the device.
SafeTensor to_safe_tensor(const Named& named);
std::vector<SafeTensor> state_dict(const Module& model);

// Copies the tensors of `source` whose names, with `prefix` before them, are asked for in `targets`. Throws Error
// naming `file` and the tensor that is missing or of another shape or dtype.
void load_tensors(std::vector<Named> targets, const SafeTensors& source, const std::string& prefix,
                  const std::string& file);
// All parameters and buffers of the model, and nothing else but tensors under `ignored_prefix`.
void load_state_dict(const Module& model, const SafeTensors& source, const std::string& ignored_prefix,
                     const std::string& file);

}  // namespace melgrad
