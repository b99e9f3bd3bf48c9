// Grad-CAM (Selvaraju et al. 2017): which parts of a spectrogram raised the logit of a class. The last feature maps of
// the network are weighted by the mean gradient of the logit with respect to each of them and summed; negative sums
// become 0.
#pragma once

#include <cstdint>
#include <vector>

#include "models/trained_model.h"

namespace melgrad {

struct GradCam {
  Shape shape;                // [N, height, width] of the last feature map that has more than one position
  std::vector<float> values;  // row-major, in units of the logit, not negative
};

// x [N, n_mels, frames, 1], standardised. The model is in evaluation mode. Throws Error if no module of the model has
// an output [N, H, W, C] with H * W > 1, or if there is no such class.
GradCam grad_cam(Module& model, const Tensor& x, int64_t target_class);

struct Relevance {
  int64_t n_mels = 0, frames = 0;
  std::vector<float> values;  // [n_mels, frames], row-major, from 0 to 1 (0 everywhere if nothing raised the logit)
};

// The relevance of every part of a track for one class: Grad-CAM of the crops that a prediction uses, interpolated to
// the resolution of the spectrogram, averaged where crops overlap (most weight in the middle of a crop) and divided by
// its maximum.
Relevance relevance_of(const TrainedModel& trained, const MelClip& features, int64_t target_class,
                       const InferenceOptions& options);

// A part of a track whose relevance, a mean over the mel bins, is nearer to the maximum of the track than to its mean.
struct Moment {
  double start = 0, end = 0;             // seconds
  double low_hertz = 0, high_hertz = 0;  // of the mel bins with at least half of the largest relevance in this part
  double share = 0;                      // of the relevance of the whole track
};

// The moments with the largest shares, at most `most`, in the order of time.
std::vector<Moment> moments_of(const Relevance& relevance, const MelSettings& settings, size_t most = 5);

}  // namespace melgrad
