#include "framework/audio/decoder.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "framework/audio/audio_file.h"
#include "framework/audio/audio_parts.h"
#include "framework/audio/format.h"
#include "framework/audio/length_field.h"
#include "framework/audio/resampler.h"
#include "framework/audio/tags.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

constexpr size_t most_interleaved = size_t{1} << 18;  // samples per read, for any number of channels

// A few bytes of FLAC can encode hours of silence. Music in the most compact formats takes three times
// `fewest_bytes_a_second`.
constexpr double seconds_for_free = 600, fewest_bytes_a_second = 250;

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
        file.name(), std::floor(100 * held), conversion_command(file));
  }
}

std::unique_ptr<AudioSource> open_source(const AudioPart& part) {
  return part.is_mpeg ? open_with_mpg123(part.bytes) : open_with_sndfile(part.bytes);
}

void require_supported_rate(const AudioFile& file, int rate) {
  if (rate >= lowest_sample_rate && rate <= highest_sample_rate) return;
  fail("{} claims a sample rate of {} Hz; rates from {} to {} Hz are supported", file.name(), rate, lowest_sample_rate,
       highest_sample_rate);
}

}  // namespace

Decoder::Decoder(const std::filesystem::path& path)
    : file_(std::make_unique<AudioFile>(without_tags(AudioFile(path)))) {
  parts_ = std::make_unique<AudioParts>(find_audio_parts(*file_));
  if (!parts_->parts[0].is_mpeg) require_complete(parts_->parts[0].bytes);
  open_first_part();
  sample_rate_ = source_->sample_rate();
  require_supported_rate(*file_, sample_rate_);
}

Decoder::~Decoder() = default;

void Decoder::open_first_part() {
  std::string reason;
  try {
    source_ = open_source(parts_->parts[0]);
    return;
  } catch (const Error& error) {
    reason = error.what();
  }
  if (auto hidden = find_hidden_mpeg_parts(*file_)) {
    *parts_ = std::move(*hidden);
    try {
      source_ = open_source(parts_->parts[0]);
      return;
    } catch (const Error& error) {
      reason = error.what();
    }
  }
  if (const auto text = text_format(*file_)) fail("{} is {}, not audio; {}", file_->name(), text->name, text->remedy);
  const std::string remedy =
      is_known_audio(*file_) ? "convert it, e.g. " + conversion_command(*file_) : "replace or remove it";
  fail("{} holds no audio that can be read ({}); {}", file_->name(), reason, remedy);
}

// Damaged bytes may look like the frames of a part of MPEG audio. Such a part is counted and passed over.
bool Decoder::open_next_part() {
  while (part_ + 1 < parts_->parts.size()) {
    const AudioPart& part = parts_->parts[++part_];
    try {
      if (!part.is_mpeg) require_complete(part.bytes);
      source_ = open_source(part);
    } catch (const Error&) {
      if (!part.is_mpeg) throw;
      undecodable_bytes_ += part.bytes.size();
      continue;
    }
    require_supported_rate(*file_, source_->sample_rate());
    if (source_->sample_rate() != sample_rate_) {
      resampler_ = std::make_unique<Resampler>(source_->sample_rate(), sample_rate_);
    }
    return true;
  }
  return false;
}

int Decoder::channels() const { return source_->channels(); }
float Decoder::full_scale() const { return source_->full_scale(); }
int64_t Decoder::file_bytes() const { return file_->size(); }

std::string Decoder::warning() const {
  std::vector<std::string> losses = parts_->losses;
  if (const int64_t unread = unread_bytes(); unread > 0) losses.push_back(fmt::format("{} bytes at its end", unread));
  if (undecodable_bytes_ > 0) {
    losses.push_back(fmt::format("{} bytes of MPEG audio that cannot be decoded", undecodable_bytes_));
  }
  if (!losses.empty()) {
    if (!parts_->cut.empty()) losses.emplace_back("the part that was cut off its end");
    return fmt::format("{} is read in part: {:.2f} s are used, without {}; fetch it again, or convert it, e.g. {}",
                       file_->name(), seconds(), fmt::join(losses, " and "), conversion_command(*file_));
  }
  if (parts_->cut.empty()) return "";
  return fmt::format(
      "{} is cut off: its {} data ends too early; the part before the cut is used, fetch it again for the rest",
      file_->name(), parts_->cut);
}

// The bytes that the library did not read although they may be audio.
int64_t Decoder::unread_bytes() const {
  const AudioFile& part = parts_->parts[part_].bytes;
  const int64_t unread = source_->unread_bytes(), begin = part.size() - unread;
  return is_much(unread, *file_) && part.skip_zeros(begin) < part.size() ? unread : 0;
}

// Decodes samples at the rate of the current part. Fills `interleaved_` and `mono`.
size_t Decoder::decode(std::span<float> mono) {
  const auto channels = static_cast<size_t>(source_->channels());
  mono = mono.first(std::min(mono.size(), std::max<size_t>(1, most_interleaved / channels)));
  interleaved_.resize(mono.size() * channels);
  const size_t frames = source_->read(interleaved_);
  interleaved_.resize(frames * channels);
  if (channels == 1) {
    std::copy(interleaved_.begin(), interleaved_.end(), mono.begin());
    return frames;
  }
  const float* sample = interleaved_.data();
  for (size_t i = 0; i < frames; ++i) {
    float sum = *sample++;
    for (size_t channel = 1; channel < channels; ++channel) sum += *sample++;
    mono[i] = sum / static_cast<float>(channels);
  }
  return frames;
}

size_t Decoder::read_resampled(std::span<float> mono) {
  while (resampled_.empty() && resampler_) {
    std::vector<float> decoded(mono.size());
    const size_t count = decode(decoded);
    if (count > 0) {
      resampler_->process(std::span(decoded).first(count), resampled_);
    } else {
      resampler_->finish(resampled_);
      resampler_.reset();
    }
  }
  const size_t count = std::min(mono.size(), resampled_.size());
  std::copy_n(resampled_.begin(), count, mono.begin());
  resampled_.erase(resampled_.begin(), resampled_.begin() + static_cast<int64_t>(count));
  return count;
}

size_t Decoder::read(std::span<float> mono) {
  size_t count = 0;
  bool at_end = false;
  try {
    while (count == 0 && !at_end) {
      count = resampler_ || !resampled_.empty() ? read_resampled(mono) : decode(mono);
      at_end = count == 0 && !open_next_part();
    }
  } catch (const Error& error) {
    fail("{} is damaged or truncated: after {:.2f} s, {}; fetch it again, or keep the part before, e.g. {}",
         file_->name(), seconds(), error.what(), conversion_command(*file_));
  }
  if (at_end && samples_ == 0) fail("{} holds no samples; fetch it again, or remove it", file_->name());
  const auto read = mono.first(count);
  const auto is_valid = [](float sample) { return std::abs(sample) <= loudest_sample; };
  int invalid = 0;  // the loop has no early end, so that the compiler uses vectors
  for (const float sample : read) invalid |= !is_valid(sample);
  if (invalid != 0) {
    const auto first = std::find_if_not(read.begin(), read.end(), is_valid);
    samples_ += first - read.begin();
    fail_on_sample(*first);
  }
  samples_ += static_cast<int64_t>(count);
  require_bytes();
  return count;
}

void Decoder::fail_on_sample(float value) const {
  const std::string what =
      std::isfinite(value) ? fmt::format("of {:.3g}, full scale is 1,", value) : "that is not a finite number";
  fail("{} has a sample {} at {:.3f} s; repair it, e.g. {}", file_->name(), what, seconds(),
       conversion_command(*file_));
}

void Decoder::require_bytes() const {
  if (seconds() <= seconds_for_free ||
      static_cast<double>(file_->size()) >= fewest_bytes_a_second * (seconds() - seconds_for_free)) {
    return;
  }
  fail("{} has only {} bytes for more than {:.0f} s of audio, so it cannot be music; remove it", file_->name(),
       file_->size(), seconds());
}

}  // namespace melgrad
