#include "models/classifier.h"

#include <algorithm>
#include <mutex>

#include "framework/audio/decoder.h"
#include "framework/audio/resampler.h"
#include "kernels/device/device_choice.h"
#include "models/trained_model.h"

namespace melgrad {
namespace {

// Only one thread at a time may use the stream of a device.
std::mutex& one_at_a_time() {
  static std::mutex mutex;
  return mutex;
}

std::vector<float> resample(std::span<const float> samples, int from_rate, int to_rate) {
  if (from_rate < lowest_sample_rate || from_rate > highest_sample_rate) {
    fail("the sample rate is {} Hz; resample to a rate from {} to {} Hz", from_rate, lowest_sample_rate,
         highest_sample_rate);
  }
  Resampler resampler(from_rate, to_rate);
  std::vector<float> resampled;
  resampler.process(samples, resampled);
  resampler.finish(resampled);
  return resampled;
}

}  // namespace

struct Classifier::Impl {
  TrainedModel trained;
};

Classifier::Classifier(const std::filesystem::path& run, const std::string& device) {
  const std::lock_guard lock(one_at_a_time());
  impl_ = std::make_unique<Impl>(Impl{load_trained_model(run, choose_device(device).device)});
}

Classifier::~Classifier() = default;
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;

const std::vector<std::string>& Classifier::labels() const { return impl_->trained.card.labels; }

std::vector<ClassProbability> Classifier::classify(std::span<const float> samples, int sample_rate) const {
  const std::lock_guard lock(one_at_a_time());
  const MelSettings& mel = impl_->trained.card.mel;
  const LogMel features = log_mel(resample(samples, sample_rate, mel.sample_rate), mel, impl_->trained.device);
  const TrackPrediction prediction = impl_->trained.predict(features, {});
  std::vector<ClassProbability> result;
  for (size_t i = 0; i < labels().size(); ++i) result.push_back({labels()[i], prediction.probabilities[i]});
  std::stable_sort(result.begin(), result.end(),
                   [](const ClassProbability& a, const ClassProbability& b) { return a.probability > b.probability; });
  return result;
}

}  // namespace melgrad
