#include "framework/dataset/audio_survey.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/audio/decoder.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

constexpr int64_t shortest_clipped_run = 3;

// Counts the samples in long runs at full scale, separately for each channel. Two calls may
// differ in channels and full scale, if the file consists of joined files.
class ClippingMeter {
 public:
  void add(std::span<const float> interleaved, int channels, float full_scale) {
    runs_.resize(static_cast<size_t>(channels));
    for (size_t i = 0; i < interleaved.size(); ++i) {
      const float sample = interleaved[i];
      peak_ = std::max(peak_, std::abs(sample));
      int64_t& run = runs_[i % runs_.size()];
      run = std::abs(sample) >= full_scale ? run + 1 : 0;
      if (run >= shortest_clipped_run) clipped_ += run == shortest_clipped_run ? run : 1;
    }
    samples_ += static_cast<int64_t>(interleaved.size());
  }

  float peak() const { return peak_; }
  double clipped_share() const {
    return samples_ == 0 ? 0 : static_cast<double>(clipped_) / static_cast<double>(samples_);
  }

 private:
  std::vector<int64_t> runs_;  // length of the current run of each channel
  int64_t clipped_ = 0, samples_ = 0;
  float peak_ = 0;
};

void decode(Decoder& decoder, AudioSurvey& survey) {
  survey.sample_rate = decoder.sample_rate();
  ClippingMeter meter;
  std::vector<float> mono(1 << 15);
  try {
    while (const size_t count = decoder.read(mono)) {
      meter.add(decoder.interleaved(), decoder.channels(), decoder.full_scale());
      for (const float sample : std::span(mono).first(count)) {
        survey.mono_peak = std::max(survey.mono_peak, std::abs(sample));
      }
    }
    survey.loss = decoder.warning();
  } catch (const Error& error) {
    const auto found = decoder.interleaved();
    const bool finite = std::ranges::all_of(found, [](float sample) { return std::isfinite(sample); });
    survey.state = found.empty() ? AudioState::empty : finite ? AudioState::unreadable : AudioState::non_finite;
    survey.error = error.what();
  }
  survey.seconds = static_cast<double>(decoder.samples()) / decoder.sample_rate();
  survey.peak = meter.peak();
  survey.clipped_share = meter.clipped_share();
}

}  // namespace

AudioSurvey survey_audio(const std::filesystem::path& file) {
  AudioSurvey survey;
  try {
    Decoder decoder(file);
    decode(decoder, survey);
  } catch (const std::exception& error) {
    std::error_code absent;
    const bool empty = std::filesystem::is_regular_file(file, absent) && std::filesystem::file_size(file, absent) == 0;
    survey.state = empty ? AudioState::empty : AudioState::unreadable;
    survey.error = error.what();
  }
  return survey;
}

}  // namespace melgrad
