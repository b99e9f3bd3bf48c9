// Decodes audio files to mono float32 as librosa.load(sr=None, mono=True) does: integer samples are scaled to [-1, 1),
// channels are averaged in float32. libsndfile reads WAV, W64, AIFF, AU, CAF, FLAC, Ogg Vorbis and Opus; libmpg123
// reads MP3 (libsndfile stops at the length it guesses for an MP3 without a Xing header, and may lose more than half).
//
// Lengths in headers are hints: decoding continues to the end of the data.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace melgrad {

class AudioFile;
class AudioSource;

constexpr int lowest_sample_rate = 1000, highest_sample_rate = 768000;  // Hz

class Decoder {
 public:
  // Throws Error that names the file and the reason.
  explicit Decoder(const std::filesystem::path&);
  ~Decoder();

  int sample_rate() const;                      // Hz
  int64_t samples() const { return samples_; }  // decoded so far
  int channels() const;
  int64_t file_bytes() const;  // of a pipe: the number of bytes read from it
  // The interleaved samples of the last read, before the channels were averaged; after an Error, those that caused it.
  std::span<const float> interleaved() const { return interleaved_; }

  // Decodes at most mono.size() samples and returns their number; 0 at the end. Throws Error when the data is damaged,
  // a sample is not finite or far above full scale, the file holds no sample, or the audio is longer than music in a
  // file of this size can be. The last rule bounds memory by the size of the file, whatever its header claims.
  size_t read(std::span<float> mono);

 private:
  double seconds() const;
  [[noreturn]] void fail_on_sample(float value) const;
  void require_bytes() const;

  std::unique_ptr<AudioFile> file_;
  std::unique_ptr<AudioSource> source_;
  std::vector<float> interleaved_;
  int64_t samples_ = 0;
};

}  // namespace melgrad
