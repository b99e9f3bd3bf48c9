// What the header of an audio file claims about the length of its samples: WAV (RIFF, RIFX, RF64), W64, AIFF, AU, CAF.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace melgrad {

class AudioFile;

struct LengthField {
  int64_t position;     // of the field
  uint64_t claimed;     // bytes of samples
  int64_t available;    // bytes from the first sample to the end of the file
  bool placeholder;     // left by a writer that could not seek back: the samples reach to the end of the file
  std::string correct;  // the field's bytes if it claimed all that is available
};
std::optional<LengthField> find_length_field(const AudioFile&);

}  // namespace melgrad
