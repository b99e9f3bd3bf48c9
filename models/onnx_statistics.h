// A StatisticsClassifier as operators of ONNX.
#pragma once

#include <string>

#include "framework/io/onnx.h"
#include "framework/module.h"

namespace melgrad {

// Appends the operators of kernels/band_statistics.h and the linear layer of `classifier`, whose weights are in the
// graph already. `x` names a value [N, 1, n_mels, frames]. Returns the name of the logits [N, classes].
std::string append_statistics_classifier(OnnxModel& graph, const Module& classifier, const std::string& x,
                                         int64_t n_mels, int64_t frames);

}  // namespace melgrad
