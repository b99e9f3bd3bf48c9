// Interface of a decoding library for Decoder: the interleaved samples of an open file.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "framework/audio/audio_file.h"

namespace melgrad {

class AudioSource {
 public:
  virtual ~AudioSource() = default;
  // Reads whole frames (one sample per channel) and returns their number; 0 at the end. Throws Error with the library's
  // reason when the data is damaged.
  virtual size_t read(std::span<float> interleaved) = 0;

  int sample_rate() const { return sample_rate_; }
  int channels() const { return channels_; }
  // The largest sample of the encoding, infinite for floats. Integers have one more code below zero, but programs that
  // clip often stop one code above it. Lossy codecs decode to floats that may exceed 1 but are played back as integers.
  float full_scale() const { return full_scale_; }
  // Bytes at the end of the file that the library has not read so far; 0 if it always reads to the end.
  int64_t unread_bytes() const { return unread_bytes_; }

 protected:
  int sample_rate_ = 0, channels_ = 0;
  float full_scale_ = 1;
  int64_t unread_bytes_ = 0;
};

// The file must outlive the source. Both functions throw Error with the library's reason if the library cannot read the
// file.
std::unique_ptr<AudioSource> open_with_sndfile(const AudioFile&);
std::unique_ptr<AudioSource> open_with_mpg123(const AudioFile&);

}  // namespace melgrad
