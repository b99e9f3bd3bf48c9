// Tests a model on one batch before features are extracted, because the extraction can take hours.
#pragma once

#include <string>

#include "framework/module.h"
#include "framework/training/batch_source.h"

namespace melgrad {

// Runs the smallest part of the batches of an epoch, each computed in `parts` parts (framework/training/step_parts.h),
// through the model: zeros [n, n_mels, crop_frames, 1]. Throws UsageError when the model cannot take it, for example
// because the crop is smaller than the model's strides. `model_name` is for the message.
void rehearse(Module& model, const std::string& model_name, int64_t n_mels, int64_t crop_frames, const EpochSize& epoch,
              int64_t batch_size, int64_t parts = 1);

}  // namespace melgrad
