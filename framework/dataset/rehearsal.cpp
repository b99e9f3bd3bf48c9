#include "framework/dataset/rehearsal.h"

#include <algorithm>

namespace melgrad {

void rehearse(Module& model, const std::string& model_name, int64_t n_mels, int64_t crop_frames, const EpochSize& epoch,
              int64_t batch_size) {
  const int64_t rest = epoch.examples() % batch_size;
  const int64_t smallest = rest > 0 ? rest : std::min(epoch.examples(), batch_size);
  try {
    const NoGrad no_grad;
    model(Tensor::zeros({smallest, n_mels, crop_frames, 1}));
  } catch (const Error& error) {
    throw UsageError(fmt::format(
        "{} cannot take batches of {} crops of {} mel bins x {} frames: {}; raise --batch-size, --n-mels or "
        "--crop-frames",
        model_name, smallest, n_mels, crop_frames, error.what()));
  }
}

}  // namespace melgrad
