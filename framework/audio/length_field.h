// The field in the header of an audio file that states the length of its samples: WAV (RIFF, RIFX, RF64), W64, AIFF,
// AU, CAF.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/audio/audio_file.h"

namespace melgrad {

struct LengthField {
  int64_t position;     // of the field in the file
  uint64_t claimed;     // bytes of samples
  int64_t available;    // bytes from the first sample to the end of the file
  bool placeholder;     // from a writer that could not seek back: the samples extend to the end of the file
  std::string correct;  // the bytes of a field that claims `available`
};
// True for the lengths that arecord (2^31 bytes) and SoX (0x7FFFF000 in WAV, 0x7F000000 in AIFF, less a part of a
// frame) write into a field of 32 bits when they cannot seek back. They may also be true lengths. Other placeholders
// are 0 and the largest signed or unsigned number.
constexpr bool is_nearly_2_gib(uint64_t length) { return length >= 0x7F000000 && length <= 0x80000000; }

// Empty for other formats and for a file without such a field.
std::optional<LengthField> find_length_field(const AudioFile&);

// The chunks of a file of one of these formats, except AU.
struct ChunkedFile {
  std::vector<ByteRange> audio;  // the chunks with samples, headers included; more than one is against the standard
  int64_t end;                   // behind the last chunk; what follows it is not part of this file
};

// Empty for other formats, and if the samples extend to the end of the file, or beyond.
std::optional<ChunkedFile> find_chunks(const AudioFile& file);

}  // namespace melgrad
