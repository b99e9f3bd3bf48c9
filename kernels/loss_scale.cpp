#include "kernels/loss_scale.h"

namespace melgrad::kernel::cpu {

void update_loss_scale(Stream&, float* scale, LossScaleSteps* steps, const AdamScalars* counted, float max_norm,
                       float beta1, float beta2, LossScaleOutputs outputs) {
  apply_loss_scale(*scale, *steps, *counted, max_norm, beta1, beta2, outputs);
}

}  // namespace melgrad::kernel::cpu
