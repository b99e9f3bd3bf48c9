// Uncompressed audio on the standard input, read while it arrives: WAV, or samples without a header. Gives the samples
// that Decoder gives for a file with the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/io/descriptor.h"

namespace melgrad {

// The names that ALSA (arecord -f) and FFmpeg (-f) have for them, in lower case: s16le is a signed little-endian
// integer of 16 bits.
enum class SampleFormat : uint8_t { u8, s8, s16le, s16be, s24le, s32le, f32le, f64le };
std::optional<SampleFormat> sample_format(std::string_view name);
std::vector<std::string> sample_format_names();

struct PcmFormat {
  SampleFormat samples = SampleFormat::s16le;
  int sample_rate = 44100;  // Hz
  int channels = 1;
};

// True if the standard input is a pipe, a socket or a device, whose data arrive over time.
bool standard_input_is_live();

class PcmStream {
 public:
  // Reads the header of a WAV stream from the standard input, or none if a format is given. Throws Error for other
  // data, which must be decoded first.
  explicit PcmStream(std::optional<PcmFormat> raw);

  int sample_rate() const { return format_.sample_rate; }

  // Waits until at least one sample has arrived and returns the number of samples, at most mono.size(): the mean of the
  // channels. 0 at the end, and when interrupted() (framework/terminal/interrupt.h). Throws Error when a sample is not
  // finite or far above full scale, or when there is none at all.
  size_t read(std::span<float> mono);

  // After the end, one line that says what is missing or was not read; empty if everything was read.
  std::string warning() const;

 private:
  size_t receive(std::span<unsigned char> bytes);
  bool receive_all(std::span<unsigned char> bytes);
  void read_header();
  void read_format(uint64_t size);
  void skip(uint64_t bytes);

  Descriptor input_;
  PcmFormat format_;
  uint64_t size_of_samples_;  // bytes to read; the greatest value if unknown
  bool ended_ = false;        // the input has no more bytes
  uint64_t received_ = 0;     // bytes of samples
  int64_t frames_ = 0;
  std::vector<unsigned char> bytes_;  // of a frame that has not arrived completely
};

}  // namespace melgrad
