#include "models/grad_cam.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "framework/audio/mel_filter_bank.h"
#include "framework/ops.h"

namespace melgrad {
namespace {

// Finds the last module whose output has several positions.
class FeatureMapFinder : public ForwardObserver {
 public:
  void called(const Module& module, const Tensor& y, int64_t) override {
    if (y.shape().rank() == 4 && y.shape()[1] * y.shape()[2] > 1) found = &module;
  }
  const Module* found = nullptr;
};

// Makes the output of one module a leaf of the graph: the rest of the network is differentiated, nothing before it is.
class FeatureMapLeaf : public ForwardObserver {
 public:
  explicit FeatureMapLeaf(const Module& module) : module_(module) {}
  void called(const Module& module, const Tensor& y, int64_t) override {
    if (&module != &module_) return;
    map = y;
    map.require_grad();
  }
  Tensor map;

 private:
  const Module& module_;
};

// While in scope, the parameters of the model require no gradients.
class FrozenParameters {
 public:
  explicit FrozenParameters(const Module& model) {
    for (const Named& named : model.parameters()) {
      if (!named.tensor.requires_grad()) continue;
      parameters_.push_back(named.tensor);
      parameters_.back().require_grad(false);
    }
  }
  ~FrozenParameters() {
    for (Tensor& parameter : parameters_) parameter.require_grad();
  }
  FrozenParameters(const FrozenParameters&) = delete;
  FrozenParameters& operator=(const FrozenParameters&) = delete;

 private:
  std::vector<Tensor> parameters_;
};

const Module& last_feature_map(Module& model, const Tensor& x) {
  const NoGrad no_grad;
  FeatureMapFinder finder;
  model(x);
  if (!finder.found) fail("the model has no feature map with several positions for an input of {}", x.shape());
  return *finder.found;
}

// Linear interpolation between the centres of `count` equal cells at position `index` of `length`, as PyTorch's
// interpolate(align_corners=False) does.
struct Between {
  int64_t low, high;
  float share_of_high;
};
Between between_cells(int64_t index, int64_t length, int64_t count) {
  const double position =
      (static_cast<double>(index) + 0.5) * static_cast<double>(count) / static_cast<double>(length) - 0.5;
  const double inside = std::clamp(position, 0.0, static_cast<double>(count - 1));
  const auto low = static_cast<int64_t>(inside);
  return {low, std::min(low + 1, count - 1), static_cast<float>(inside - static_cast<double>(low))};
}

// Adds the map [height, width] of a crop that begins at frame `start`. The weight falls from the middle of the crop to
// its ends, so that the mean has no jumps where crops begin. A crop of a shorter track repeats it.
void add_crop(Relevance& sums, std::vector<float>& weights, std::span<const float> map, int64_t height, int64_t width,
              int64_t start, int64_t crop_frames) {
  for (int64_t i = 0; i < crop_frames; ++i) {
    const auto frame = static_cast<size_t>((start + i) % sums.frames);
    const Between columns = between_cells(i, crop_frames, width);
    const float weight = static_cast<float>(std::min(i + 1, crop_frames - i)) / static_cast<float>(crop_frames);
    weights[frame] += weight;
    for (int64_t mel = 0; mel < sums.n_mels; ++mel) {
      const Between rows = between_cells(mel, sums.n_mels, height);
      const auto value = [&](int64_t row) {
        const float* const cells = map.data() + row * width;
        return std::lerp(cells[columns.low], cells[columns.high], columns.share_of_high);
      };
      sums.values[static_cast<size_t>(mel * sums.frames) + frame] +=
          weight * std::lerp(value(rows.low), value(rows.high), rows.share_of_high);
    }
  }
}

// The mean over the mel bins at each frame.
std::vector<double> means_over_bins(const Relevance& relevance) {
  std::vector<double> means(static_cast<size_t>(relevance.frames));
  for (size_t i = 0; i < relevance.values.size(); ++i) {
    means[i % means.size()] += static_cast<double>(relevance.values[i]) / static_cast<double>(relevance.n_mels);
  }
  return means;
}

// The first and last mel bin with at least half of the largest relevance in the frames [begin, end).
std::pair<size_t, size_t> strongest_bins(const Relevance& relevance, size_t begin, size_t end) {
  std::vector<double> sums;
  for (int64_t mel = 0; mel < relevance.n_mels; ++mel) {
    const float* const row = relevance.values.data() + mel * relevance.frames;
    sums.push_back(std::accumulate(row + begin, row + end, 0.0));
  }
  const double half = *std::ranges::max_element(sums) / 2;
  const auto strong = [half](double sum) { return sum >= half; };
  const auto first = std::ranges::find_if(sums, strong) - sums.begin();
  const auto last = std::find_if(sums.rbegin(), sums.rend(), strong).base() - sums.begin() - 1;
  return {static_cast<size_t>(first), static_cast<size_t>(last)};
}

}  // namespace

GradCam grad_cam(Module& model, const Tensor& x, int64_t target_class) {
  const FrozenParameters frozen(model);
  FeatureMapLeaf leaf(last_feature_map(model, x));
  const Tensor logits = cast(model(x), DType::float32);
  const int64_t classes = logits.shape()[1];
  MELGRAD_CHECK(target_class >= 0 && target_class < classes, "class {} is not one of {}", target_class, classes);
  std::vector<float> selected(static_cast<size_t>(logits.numel()));
  for (size_t i = static_cast<size_t>(target_class); i < selected.size(); i += static_cast<size_t>(classes)) {
    selected[i] = 1;
  }
  logits.backward(Tensor::from(selected, logits.shape(), logits.device()));

  const Shape& shape = leaf.map.shape();
  const auto positions = static_cast<size_t>(shape[1] * shape[2]), channels = static_cast<size_t>(shape[3]);
  const std::vector<float> maps = cast(leaf.map.detach(), DType::float32).to_vector();
  const std::vector<float> gradients = cast(leaf.map.grad(), DType::float32).to_vector();
  GradCam cam{.shape = {shape[0], shape[1], shape[2]}};
  for (size_t first = 0; first < maps.size(); first += positions * channels) {
    std::vector<double> weights(channels);
    for (size_t i = 0; i < positions * channels; ++i) {
      weights[i % channels] += static_cast<double>(gradients[first + i]) / static_cast<double>(positions);
    }
    for (size_t position = 0; position < positions; ++position) {
      double sum = 0;
      for (size_t c = 0; c < channels; ++c) {
        sum += weights[c] * static_cast<double>(maps[first + position * channels + c]);
      }
      cam.values.push_back(static_cast<float>(std::max(0.0, sum)));
    }
  }
  return cam;
}

Relevance relevance_of(const TrainedModel& trained, const MelClip& features, int64_t target_class,
                       const InferenceOptions& options) {
  const int64_t crop_frames = trained.card.crop_frames;
  const int unknown_label = 0;
  const ClipStore clips(std::vector{features}, {&unknown_label, 1}, trained.classes(), trained.card.standardisation,
                        trained.device, Residency::device);
  Relevance result{.n_mels = features.n_mels, .frames = features.frames};
  result.values.resize(features.db().size());
  std::vector<float> weights(static_cast<size_t>(features.frames));
  for (const int64_t start : crop_starts(features.frames, crop_frames, options.crops)) {
    const int64_t only_clip = 0;
    const Batch batch = clips.crops({&only_clip, 1}, {&start, 1}, crop_frames, options.precision);
    const GradCam cam = grad_cam(*trained.model, batch.x, target_class);
    add_crop(result, weights, cam.values, cam.shape[1], cam.shape[2], start, crop_frames);
  }
  for (size_t i = 0; i < result.values.size(); ++i) {
    const float weight = weights[i % weights.size()];
    if (weight > 0) result.values[i] /= weight;  // no crop contains the others
  }
  const float largest = *std::ranges::max_element(result.values);
  if (largest > 0) {
    for (float& value : result.values) value /= largest;
  }
  return result;
}

std::vector<Moment> moments_of(const Relevance& relevance, const MelSettings& settings, size_t most) {
  const std::vector<double> means = means_over_bins(relevance);
  const double total = std::reduce(means.begin(), means.end());
  std::vector<Moment> moments;
  if (total == 0) return moments;
  const double largest = *std::ranges::max_element(means), mean = total / static_cast<double>(means.size());
  const double limit = std::min(largest, (largest + mean) / 2);  // rounding may put the mean above the maximum
  const std::vector<double> hertz = mel_frequencies(settings);
  const double seconds_per_frame = static_cast<double>(settings.hop_length) / settings.sample_rate;
  for (size_t begin = 0; begin < means.size();) {
    size_t end = begin;
    double sum = 0;
    while (end < means.size() && means[end] >= limit) sum += means[end++];
    if (end > begin) {
      const auto [lowest, highest] = strongest_bins(relevance, begin, end);
      moments.push_back({.start = static_cast<double>(begin) * seconds_per_frame,
                         .end = static_cast<double>(end) * seconds_per_frame,
                         .low_hertz = hertz[lowest],
                         .high_hertz = hertz[highest + 2],
                         .share = sum / total});
    }
    begin = end + 1;
  }
  std::ranges::stable_sort(moments, [](const Moment& a, const Moment& b) { return a.share > b.share; });
  moments.resize(std::min(moments.size(), most));
  std::ranges::sort(moments, [](const Moment& a, const Moment& b) { return a.start < b.start; });
  return moments;
}

}  // namespace melgrad
