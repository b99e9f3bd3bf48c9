// Classifies a recording of any length step by step, while it arrives, in constant memory.
//
// Crops of crop_frames frames begin at every step (every second). Their frames are those of the recording; only the
// dynamic range differs from log_mel(): values are limited to top_db below the loudest value of the crop, not of the
// recording, whose loudest value is unknown while it arrives. A step's probabilities are those of the mean of the
// logits of all crops that contain the step. The last crop ends with the recording. A recording shorter than a crop is
// one crop.
//
// A step is known latency_seconds() after its end, and never revised: the crop that begins with it, and half an FFT
// window after that crop, must have arrived.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <vector>

#include "framework/audio/log_mel.h"
#include "framework/prediction/answer.h"

namespace melgrad {

struct TimelineSettings {
  MelSettings mel;
  int64_t crop_frames = 256;
  double step_seconds = 1;
  double temperature = 1;
  int64_t batch_size = 32;  // crops at a time, unless flush() is called
};

// The length of a crop in seconds.
double crop_seconds(const TimelineSettings& settings);
// A second, or half a crop if that is shorter.
double default_step_seconds(const TimelineSettings& settings);
// The time from the end of a step of a live input to its answer, without the time of the computation.
double latency_seconds(const TimelineSettings& settings);

class Timeline {
 public:
  // Returns the logits of each crop.
  using Classify = std::function<std::vector<std::vector<double>>(std::span<const LogMel> crops)>;

  // Throws Error unless step_seconds is at least a sample and at most a crop. `on_step` gets the answer for each step
  // in order.
  Timeline(const TimelineSettings& settings, Classify classify, AnswerRule rule,
           std::function<void(const Answer&)> on_step);

  // Samples at settings.mel.sample_rate.
  void push(std::span<const float> samples);
  // Classifies the complete crops now, although they do not fill a batch: for live input.
  void flush();
  // The recording has ended. No sample may follow.
  void finish();

  double seconds() const;  // received so far

 private:
  struct Crop {
    int64_t begin, end;  // samples
    std::vector<double> logits;
  };

  void classify_until(int64_t crops);
  LogMel features(int64_t start, int64_t length) const;
  void classify_span(std::span<const int64_t> starts, int64_t length);
  void drop_old_samples();
  void report(int64_t first_sample_not_known);
  int64_t received() const { return dropped_ + static_cast<int64_t>(samples_.size()); }
  int64_t crops_within(int64_t samples) const;

  TimelineSettings settings_;
  Classify classify_;
  AnswerRule rule_;
  std::function<void(const Answer&)> on_step_;
  int64_t crop_, step_, context_;  // samples
  std::vector<float> samples_;
  int64_t dropped_ = 0;     // samples before samples_
  int64_t classified_ = 0;  // regular crops
  int64_t reported_ = 0;    // steps
  std::deque<Crop> crops_;  // those that contain steps which are not reported yet
};

}  // namespace melgrad
