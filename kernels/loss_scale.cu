// One thread updates the loss scale: a few numbers, in a launch of its own.
#include "kernels/loss_scale.h"

#include "kernels/device/cuda.cuh"

namespace melgrad::kernel::cuda {
namespace {

__global__ void update_scale(float* scale, LossScaleSteps* steps, const AdamScalars* counted, float max_norm,
                             float beta1, float beta2, LossScaleOutputs outputs) {
  apply_loss_scale(*scale, *steps, *counted, max_norm, beta1, beta2, outputs);
}

}  // namespace

void update_loss_scale(Stream& stream, float* scale, LossScaleSteps* steps, const AdamScalars* counted, float max_norm,
                       float beta1, float beta2, LossScaleOutputs outputs) {
  launch(update_scale, 1, 1, 0, stream, scale, steps, counted, max_norm, beta1, beta2, outputs);
}

}  // namespace melgrad::kernel::cuda
