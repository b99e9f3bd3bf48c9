#include "framework/dataset/augmentation.h"

#include "kernels/mixup.h"

namespace melgrad {

Batch augment(Batch batch, const Tensor& inverse_std, const Augmentation& settings, Generator& generator) {
  const Shape shape = batch.x.shape();
  Stream& stream = batch.x.stream();
  if (!settings.jitter.none()) {
    const Tensor x = batch.x;
    batch.x = Tensor::empty(shape, x.dtype(), x.device());
    kernel::spectral_jitter(stream, x.data(), inverse_std.as<float>(), batch.x.data(), x.dtype(), shape[0], shape[1],
                            shape[2], settings.jitter, generator.draw());
  }
  kernel::spec_augment(stream, batch.x.data(), batch.x.dtype(), shape[0], shape[1], shape[2], settings.spec_augment,
                       generator.draw());
  if (settings.mixup_alpha <= 0) return batch;
  Batch mixed{.x = Tensor::empty(shape, batch.x.dtype(), batch.x.device()),
              .targets = Tensor::empty(batch.targets.shape(), DType::float32, batch.x.device())};
  kernel::mixup(stream, batch.x.data(), batch.targets.as<float>(), mixed.x.data(), mixed.targets.as<float>(),
                batch.x.dtype(), shape[0], shape[1] * shape[2] * shape[3], batch.targets.shape()[1],
                settings.mixup_alpha, generator.draw());
  return mixed;
}

}  // namespace melgrad
