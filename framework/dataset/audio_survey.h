// Properties of an audio file that matter for training: whether it can be decoded, its length, level and clipping.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace melgrad {

enum class AudioState : uint8_t { readable, unreadable, empty, non_finite };

struct AudioSurvey {
  AudioState state = AudioState::readable;
  std::string error;    // one line that names the file; empty if it is readable
  std::string loss;     // Decoder::warning() of a readable file; empty if it was read to its end
  int sample_rate = 0;  // Hz
  double seconds = 0;
  float peak = 0;            // largest absolute sample of any channel; full scale is 1
  float mono_peak = 0;       // the same after mixing to mono, which is what a model hears
  double clipped_share = 0;  // share of samples in runs of three or more at the encoding's full scale in one channel
};

// Decodes the whole file in pieces. A file that cannot be read gives a result, not an exception.
AudioSurvey survey_audio(const std::filesystem::path& file);

}  // namespace melgrad
