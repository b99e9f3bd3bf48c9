// Decodes audio files to mono float32 as librosa.load(sr=None, mono=True) does: integer samples are scaled to [-1, 1),
// channels are averaged in float32. libsndfile reads WAV, W64, AIFF, AU, CAF, FLAC, Ogg Vorbis and Opus; libmpg123
// reads MP3 (libsndfile stops at the length it guesses for an MP3 without a Xing header, and may lose more than half).
//
// Lengths in headers are hints: decoding continues to the end of the data. A file that consists of several joined files
// is decoded to its end. warning() says which bytes were not decoded.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "framework/audio/audio_source.h"

namespace melgrad {

struct AudioParts;
class Resampler;

constexpr int lowest_sample_rate = 1000, highest_sample_rate = 768000;  // Hz
constexpr float loudest_sample = 0x1p33f;  // full scale is 1; unscaled 32-bit integers stay below

class Decoder {
 public:
  // "-" is the standard input. Throws Error that names the file and the reason.
  explicit Decoder(const std::filesystem::path&);
  ~Decoder();

  int sample_rate() const { return sample_rate_; }  // Hz, of the first part; others are resampled to it
  int64_t samples() const { return samples_; }      // returned so far
  int64_t file_bytes() const;                       // without tags; of a pipe, the number of bytes read from it
  // After the end, one line that names the file and what was not read of it, because the file was cut off or some of
  // it is no audio that melgrad decodes. Empty if everything was read.
  std::string warning() const;

  // The samples that the last read decoded, before the channels were averaged; after an Error, those that caused it.
  std::span<const float> interleaved() const { return interleaved_; }
  int channels() const;
  float full_scale() const;  // AudioSource::full_scale

  // Decodes at most mono.size() samples and returns their number; 0 at the end. Throws Error when the data is damaged,
  // a sample is not finite or far above full scale, the file holds no sample, or the audio is longer than music in a
  // file of this size can be. The last rule bounds memory by the size of the file, whatever its header claims.
  size_t read(std::span<float> mono);

 private:
  void open_first_part();
  bool open_next_part();
  size_t decode(std::span<float> mono);
  size_t read_resampled(std::span<float> mono);
  int64_t unread_bytes() const;
  double seconds() const { return static_cast<double>(samples_) / sample_rate_; }
  [[noreturn]] void fail_on_sample(float value) const;
  void require_bytes() const;

  std::unique_ptr<AudioFile> file_;
  std::unique_ptr<AudioParts> parts_;
  size_t part_ = 0;
  std::unique_ptr<AudioSource> source_;
  int sample_rate_ = 0;
  int64_t samples_ = 0;
  int64_t undecodable_bytes_ = 0;  // of parts that libmpg123 refused
  std::vector<float> interleaved_;
  std::unique_ptr<Resampler> resampler_;  // of a part with another rate than the first
  std::vector<float> resampled_;          // samples to return
};

}  // namespace melgrad
