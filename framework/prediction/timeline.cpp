#include "framework/prediction/timeline.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "framework/training/calibration.h"
#include "kernels/device/error.h"
#include "kernels/device/parallel.h"
#include "kernels/mel.h"

namespace melgrad {
namespace {

// The least number of samples whose spectrogram has crop_frames frames (LogMel::frames).
int64_t crop_samples(const TimelineSettings& settings) {
  const int64_t odd = settings.mel.n_fft % 2;
  return std::max<int64_t>(1, (settings.crop_frames - 1) * settings.mel.hop_length + odd);
}

// The samples before and after a crop that the windows of its first and last frames reach, rounded up to whole hops.
int64_t context_samples(const MelSettings& mel) {
  const int64_t half = mel.n_fft / 2, hop = mel.hop_length;
  return (half + hop - 1) / hop * hop;
}

}  // namespace

double crop_seconds(const TimelineSettings& settings) {
  return static_cast<double>(crop_samples(settings)) / settings.mel.sample_rate;
}

double default_step_seconds(const TimelineSettings& settings) { return std::min(1.0, crop_seconds(settings) / 2); }

double latency_seconds(const TimelineSettings& settings) {
  const double context = static_cast<double>(context_samples(settings.mel)) / settings.mel.sample_rate;
  return crop_seconds(settings) + context - settings.step_seconds;
}

Timeline::Timeline(const TimelineSettings& settings, Classify classify, AnswerRule rule,
                   std::function<void(const Answer&)> on_step)
    : settings_(settings),
      classify_(std::move(classify)),
      rule_(std::move(rule)),
      on_step_(std::move(on_step)),
      crop_(crop_samples(settings)),
      step_(std::llround(settings.step_seconds * settings.mel.sample_rate)),
      context_(context_samples(settings.mel)) {
  if (step_ < 1 || step_ > crop_) {
    fail("the step is {} s; it must be at least a sample and at most a crop of the model, {:.2f} s",
         settings.step_seconds, crop_seconds(settings));
  }
}

double Timeline::seconds() const { return static_cast<double>(received()) / settings_.mel.sample_rate; }

int64_t Timeline::crops_within(int64_t samples) const { return samples < crop_ ? 0 : (samples - crop_) / step_ + 1; }

void Timeline::push(std::span<const float> samples) {
  // In pieces, so that the samples of long pieces are dropped as soon as possible.
  const auto piece = static_cast<size_t>(settings_.batch_size * step_);
  while (!samples.empty()) {
    const auto part = samples.first(std::min(piece, samples.size()));
    samples_.insert(samples_.end(), part.begin(), part.end());
    samples = samples.subspan(part.size());
    while (crops_within(received() - context_) - classified_ >= settings_.batch_size) {
      classify_until(classified_ + settings_.batch_size);
    }
  }
}

void Timeline::flush() { classify_until(crops_within(received() - context_)); }

void Timeline::finish() {
  const int64_t end = received();
  classify_until(crops_within(end));
  if (end == 0) return;
  const int64_t covered = classified_ == 0 ? 0 : (classified_ - 1) * step_ + crop_;
  if (covered < end) {
    const int64_t length = std::min(crop_, end), start = end - length;
    classify_span({&start, 1}, length);
  }
  report(end);
}

void Timeline::classify_until(int64_t crops) {
  std::vector<int64_t> starts;
  while (classified_ < crops) {
    starts.clear();
    for (; classified_ < crops && std::ssize(starts) < settings_.batch_size; ++classified_) {
      starts.push_back(classified_ * step_);
    }
    classify_span(starts, crop_);
    report(classified_ * step_);
  }
}

LogMel Timeline::features(int64_t start, int64_t length) const {
  // Zeros stand for the samples before the recording, as in log_mel().
  std::vector<float> samples(static_cast<size_t>(std::max<int64_t>(0, context_ - start)));
  const int64_t begin = std::max<int64_t>(0, start - context_), end = std::min(start + length + context_, received());
  samples.insert(samples.end(), samples_.begin() + (begin - dropped_), samples_.begin() + (end - dropped_));
  MelSettings unlimited = settings_.mel;
  unlimited.top_db = 1e6;
  const LogMel wide = log_mel(samples, unlimited);

  const int64_t first = context_ / settings_.mel.hop_length, odd = settings_.mel.n_fft % 2;
  LogMel crop{.n_mels = wide.n_mels, .frames = 1 + (length - odd) / settings_.mel.hop_length};
  for (int64_t bin = 0; bin < wide.n_mels; ++bin) {
    const auto row = wide.db.begin() + bin * wide.frames + first;
    crop.db.insert(crop.db.end(), row, row + crop.frames);
  }
  kernel::limit_dynamic_range(Stream::of(Device::cpu), crop.db.data(), std::ssize(crop.db),
                              static_cast<float>(settings_.mel.top_db));
  return crop;
}

void Timeline::classify_span(std::span<const int64_t> starts, int64_t length) {
  std::vector<LogMel> crops(starts.size());
  kernel::for_each_task(std::ssize(starts), [&](int64_t i) {
    crops[static_cast<size_t>(i)] = features(starts[static_cast<size_t>(i)], length);
  });
  std::vector<std::vector<double>> logits = classify_(crops);
  for (size_t i = 0; i < starts.size(); ++i) {
    crops_.push_back({.begin = starts[i], .end = starts[i] + length, .logits = std::move(logits[i])});
  }
}

// Reports the steps that begin before this sample. No crop that is still to come contains them.
void Timeline::report(int64_t first_sample_not_known) {
  for (; reported_ * step_ < first_sample_not_known; ++reported_) {
    const int64_t begin = reported_ * step_, end = std::min(begin + step_, received());
    std::vector<double> sum(rule_.labels.size());
    int64_t count = 0;
    for (const Crop& crop : crops_) {
      if (crop.begin > begin || crop.end < end) continue;
      ++count;
      std::transform(sum.begin(), sum.end(), crop.logits.begin(), sum.begin(), std::plus<>());
    }
    for (double& logit : sum) logit /= static_cast<double>(count);
    const auto seconds = [this](int64_t sample) { return static_cast<double>(sample) / settings_.mel.sample_rate; };
    on_step_(rule_.answer(seconds(begin), seconds(end), softmax(sum, settings_.temperature)));
  }
  drop_old_samples();
}

void Timeline::drop_old_samples() {
  const int64_t next_end = (reported_ + 1) * step_;
  while (crops_.size() > 1 && crops_.front().end < next_end) crops_.pop_front();
  // The last crop may begin before the next regular one, to end with the recording.
  const int64_t needed = std::min(classified_ * step_, received() - crop_) - context_;
  if (needed - dropped_ > crop_) {
    samples_.erase(samples_.begin(), samples_.begin() + (needed - dropped_));
    dropped_ = needed;
  }
}

}  // namespace melgrad
