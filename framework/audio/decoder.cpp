#include "framework/audio/decoder.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <string>

#include "framework/audio/audio_file.h"
#include "framework/audio/audio_source.h"
#include "framework/audio/length_field.h"
#include "framework/terminal/text.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

constexpr size_t most_interleaved = size_t{1} << 18;  // samples per read, for any number of channels
constexpr float loudest = 0x1p33f;                    // full scale is 1; unscaled 32-bit integers stay below

// A few bytes of FLAC can encode hours of silence. Music in the most compact formats takes three times
// `fewest_bytes_a_second`.
constexpr double seconds_for_free = 600, fewest_bytes_a_second = 250;

std::string remedy(const AudioFile& file) {
  std::filesystem::path converted = file.path();
  converted.replace_extension(file.path().extension() == ".wav" ? ".converted.wav" : ".wav");
  return fmt::format("ffmpeg -i {} {}", shell_quoted(file.path().string()), shell_quoted(converted.string()));
}

// Headers may be slightly wrong. A file that lacks more than 1 % of the audio that its header claims was cut off.
void require_complete(const AudioFile& file) {
  const auto length = find_length_field(file);
  if (!length || length->placeholder) return;
  const double held =
      static_cast<double>(std::max<int64_t>(0, length->available)) / static_cast<double>(length->claimed);
  if (length->claimed > 0 && held < 0.99) {
    fail(
        "{} is truncated: it holds {:.0f} % of the audio that its header claims; fetch it again, or keep this part, "
        "e.g. {}",
        file.path().string(), std::floor(100 * held), remedy(file));
  }
}

[[noreturn]] void fail_unsupported(const AudioFile& file, std::string_view format) {
  fail("{} is {}, which is not supported; convert it, e.g. {}", file.path().string(), format, remedy(file));
}

std::string lower_case_extension(const AudioFile& file) {
  std::string extension = file.path().extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return extension;
}

std::unique_ptr<AudioSource> open_source(const AudioFile& file) {
  if (const std::string_view format = unsupported_format(file); !format.empty()) fail_unsupported(file, format);
  require_complete(file);
  const std::string extension = lower_case_extension(file);
  try {
    if (first_mpeg_frame(file)) return open_with_mpg123(file);
    try {
      return open_with_sndfile(file);
    } catch (const Error&) {
      // libmpg123 skips leading bytes that are no audio; libsndfile does not.
      if (extension == ".mp3") return open_with_mpg123(file);
      throw;
    }
  } catch (const Error& error) {
    if (extension == ".m4a" || extension == ".aac" || extension == ".mp4")
      fail_unsupported(file, "AAC/M4A by its name");
    fail("{} holds no audio that can be read ({}); replace or remove it", file.path().string(), error.what());
  }
}

}  // namespace

Decoder::Decoder(const std::filesystem::path& path) : file_(std::make_unique<AudioFile>(path)) {
  source_ = open_source(*file_);
  if (sample_rate() < lowest_sample_rate || sample_rate() > highest_sample_rate) {
    fail("{} claims a sample rate of {} Hz; rates from {} to {} Hz are supported", path.string(), sample_rate(),
         lowest_sample_rate, highest_sample_rate);
  }
}

Decoder::~Decoder() = default;

int Decoder::sample_rate() const { return source_->sample_rate(); }

int Decoder::channels() const { return source_->channels(); }
int64_t Decoder::file_bytes() const { return file_->size(); }

double Decoder::seconds() const { return static_cast<double>(samples_) / sample_rate(); }

size_t Decoder::read(std::span<float> mono) {
  const auto channels = static_cast<size_t>(source_->channels());
  mono = mono.first(std::min(mono.size(), std::max<size_t>(1, most_interleaved / channels)));
  interleaved_.resize(mono.size() * channels);
  size_t frames = 0;
  try {
    frames = source_->read(interleaved_);
  } catch (const Error& error) {
    fail("{} is damaged or truncated: after {:.2f} s, {}; fetch it again, or keep the part before, e.g. {}",
         file_->path().string(), seconds(), error.what(), remedy(*file_));
  }
  interleaved_.resize(frames * channels);
  if (frames == 0 && samples_ == 0) fail("{} holds no samples; fetch it again, or remove it", file_->path().string());

  const float* sample = interleaved_.data();
  for (size_t i = 0; i < frames; ++i) {
    float sum = *sample++;
    for (size_t channel = 1; channel < channels; ++channel) sum += *sample++;
    mono[i] = sum / static_cast<float>(channels);
    if (!(std::abs(mono[i]) <= loudest)) {
      samples_ += static_cast<int64_t>(i);
      fail_on_sample(mono[i]);
    }
  }
  samples_ += static_cast<int64_t>(frames);
  require_bytes();
  return frames;
}

void Decoder::fail_on_sample(float value) const {
  const std::string what =
      std::isfinite(value) ? fmt::format("of {:.3g}, full scale is 1,", value) : "that is not a finite number";
  fail("{} has a sample {} at {:.3f} s; repair it, e.g. {}", file_->path().string(), what, seconds(), remedy(*file_));
}

void Decoder::require_bytes() const {
  if (seconds() <= seconds_for_free ||
      static_cast<double>(file_->size()) >= fewest_bytes_a_second * (seconds() - seconds_for_free)) {
    return;
  }
  fail("{} has only {} bytes for more than {:.0f} s of audio, so it cannot be music; remove it", file_->path().string(),
       file_->size(), seconds());
}

}  // namespace melgrad
