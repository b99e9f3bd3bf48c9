// What a file's samples are like: what makes it worthless to a classifier, or unlike its neighbours.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace melgrad {

enum class AudioState : uint8_t { readable, unreadable, empty, non_finite };

struct AudioSurvey {
  AudioState state = AudioState::readable;
  std::string error;       // one line that names the file; empty for a readable one
  std::string truncation;  // the same of a file that can be read up to where it was cut; empty for a whole one
  int sample_rate = 0;     // Hz
  double seconds = 0;
  float peak = 0;            // largest absolute sample; full scale is 1
  double clipped_share = 0;  // of the samples, those in runs of three or more at full scale in one channel
};

// Decodes the whole file, piece by piece. A file that cannot be read is a result, no exception.
AudioSurvey survey_audio(const std::filesystem::path& file);

}  // namespace melgrad
