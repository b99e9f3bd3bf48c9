// The field in the header of an audio file that states the length of its samples: WAV (RIFF, RIFX, RF64), W64, AIFF,
// AU, CAF.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace melgrad {

class AudioFile;

struct LengthField {
  int64_t position;     // of the field in the file
  uint64_t claimed;     // bytes of samples
  int64_t available;    // bytes from the first sample to the end of the file
  bool placeholder;     // from a writer that could not seek back: the samples extend to the end of the file
  std::string correct;  // the bytes of a field that claims `available`
};
// Empty for other formats and for a file without such a field.
std::optional<LengthField> find_length_field(const AudioFile&);

}  // namespace melgrad
