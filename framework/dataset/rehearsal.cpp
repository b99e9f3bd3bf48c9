#include "framework/dataset/rehearsal.h"

#include <algorithm>

namespace melgrad {

void rehearse(Module& model, const std::string& model_name, int64_t n_mels, int64_t crop_frames, const EpochSize& epoch,
              int64_t batch_size, int64_t parts) {
  const int64_t rest = epoch.examples() % batch_size;
  const int64_t smallest_batch = rest > 0 ? rest : std::min(epoch.examples(), batch_size);
  const int64_t smallest = std::max<int64_t>(1, smallest_batch / parts);
  try {
    const NoGrad no_grad;
    model(Tensor::zeros({smallest, n_mels, crop_frames, 1}));
  } catch (const Error& error) {
    throw UsageError(
        fmt::format("{} cannot take {} of {} crops of {} mel bins x {} frames: {}; raise --batch-size, --n-mels or "
                    "--crop-frames{}",
                    model_name, parts > 1 ? "parts of batches" : "batches", smallest, n_mels, crop_frames, error.what(),
                    parts > 1 ? fmt::format(", or cut the batches into fewer than {} parts", parts) : ""));
  }
}

}  // namespace melgrad
