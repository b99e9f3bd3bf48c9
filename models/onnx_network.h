// The layers of a model as operators of ONNX.
#pragma once

#include <string>

#include "framework/io/onnx.h"
#include "framework/module.h"

namespace melgrad {

// Appends the layers of a model of models/models.h in evaluation mode, with its weights under their names in a
// checkpoint. `x` names a value [N, 1, n_mels, frames]. Returns the name of the logits [N, classes]. Waits for the
// device. `n_mels` and `frames` are those of x. Throws Error naming a layer that has no form in ONNX here.
std::string append_network(OnnxModel& graph, const Module& model, const std::string& x, int64_t n_mels, int64_t frames);

}  // namespace melgrad
