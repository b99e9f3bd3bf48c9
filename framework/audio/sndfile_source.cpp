#include <sndfile.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <optional>
#include <string>

#include "framework/audio/audio_source.h"
#include "framework/audio/length_field.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

// libsndfile 1.2 reports every header that gives no sensible format with a text about its own structure SF_INFO.
std::string opening_error() {
  const std::string reason = sf_strerror(nullptr);
  return reason.find("SF_INFO") == std::string::npos ? reason
                                                     : "its header is broken: no valid format, rate or channels";
}

float full_scale_of(int format) {
  switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_S8:
    case SF_FORMAT_PCM_U8:
      return 127 / 128.0f;
    case SF_FORMAT_PCM_24:
      return 1 - 0x1p-23f;
    case SF_FORMAT_PCM_32:
    case SF_FORMAT_VORBIS:
    case SF_FORMAT_OPUS:
      return 1;
    case SF_FORMAT_ULAW:  // ITU-T G.711
      return 32124 / 32768.0f;
    case SF_FORMAT_ALAW:
      return 32256 / 32768.0f;
    case SF_FORMAT_FLOAT:
    case SF_FORMAT_DOUBLE:
      return std::numeric_limits<float>::infinity();
    default:  // 16 bits, also ADPCM and the like
      return 1 - 0x1p-15f;
  }
}

class SndfileSource final : public AudioSource {
 public:
  explicit SndfileSource(const AudioFile& file) : file_(file), size_(file.size()) {
    unread_bytes_ = size_;
    // libsndfile would pass it to libmpg123, which then prints messages.
    const auto start = file.bytes_at<2>(0);
    if (start[0] == 0xFF && (start[1] & 0xE0) == 0xE0)
      fail("it begins like MPEG audio, but its frames do not continue");
    if (const auto length = find_length_field(file); length && length->placeholder) {
      unknown_length_ = length;
    } else if (length && file.has(0, "riff")) {
      // libsndfile 1.2 reads the bytes after the samples of a W64 file as samples.
      size_ -= std::max<int64_t>(0, length->available - static_cast<int64_t>(length->claimed));
    }
    // libsndfile stores the reason of a failed sf_open_virtual in a global variable.
    static std::mutex opening;
    const std::lock_guard lock(opening);
    SF_INFO info{};
    handle_.reset(sf_open_virtual(&input_, SFM_READ, &info, this));
    if (!handle_) fail("{}", read_error_.empty() ? opening_error() : read_error_);
    sample_rate_ = info.samplerate;
    channels_ = info.channels;
    full_scale_ = full_scale_of(info.format);
    // For FLAC this is the number in the header. For other formats libsndfile derives it from the size of the file, or
    // guesses it.
    const bool states_length = (info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_FLAC && info.frames < SF_COUNT_MAX;
    if (states_length) promised_ = info.frames;
  }

  size_t read(std::span<float> interleaved) override {
    const auto wanted = static_cast<sf_count_t>(interleaved.size()) / channels_;
    const sf_count_t frames = sf_readf_float(handle_.get(), interleaved.data(), wanted);
    if (frames > 0) {
      decoded_ += frames;
      all_decoded_ = promised_ > 0 && decoded_ >= promised_;
      return static_cast<size_t>(frames);
    }
    if (!read_error_.empty()) fail("{}", read_error_);
    if (sf_error(handle_.get()) != SF_ERR_NO_ERROR) fail("{}", sf_strerror(handle_.get()));
    if (static_cast<double>(decoded_) < 0.99 * static_cast<double>(promised_)) fail("the file ends too early");
    return 0;
  }

 private:
  struct Deleter {
    void operator()(SNDFILE* handle) const noexcept { sf_close(handle); }
  };
  static SF_VIRTUAL_IO input_;

  sf_count_t read_bytes(std::span<unsigned char> buffer) {
    try {
      const size_t got = file_.read_at(position_, buffer);
      hide_length(position_, buffer.first(got));
      position_ += static_cast<int64_t>(got);
      // Behind the last frame libsndfile searches for another one.
      if (!all_decoded_) unread_bytes_ = std::min(unread_bytes_, file_.size() - position_);
      return static_cast<sf_count_t>(got);
    } catch (const Error& error) {  // must not pass through libsndfile
      read_error_ = error.what();
      return 0;
    }
  }

  // Replaces a placeholder by the actual length in the bytes that libsndfile reads, because it takes a 0 literally.
  void hide_length(int64_t position, std::span<unsigned char> bytes) const {
    if (!unknown_length_) return;
    const int64_t field = unknown_length_->position;
    const std::string& correct = unknown_length_->correct;
    const int64_t end = std::min(position + std::ssize(bytes), field + std::ssize(correct));
    for (int64_t i = std::max(position, field); i < end; ++i) {
      bytes[static_cast<size_t>(i - position)] = static_cast<unsigned char>(correct[static_cast<size_t>(i - field)]);
    }
  }

  const AudioFile& file_;
  int64_t size_;  // as reported to libsndfile
  int64_t position_ = 0;
  std::string read_error_;
  std::optional<LengthField> unknown_length_;  // a field that holds a placeholder
  int64_t promised_ = 0, decoded_ = 0;         // frames; promised_ is 0 if the header states no length
  bool all_decoded_ = false;                   // that the header promised
  std::unique_ptr<SNDFILE, Deleter> handle_;
};

SF_VIRTUAL_IO SndfileSource::input_ = {
    .get_filelen = [](void* self) { return sf_count_t{static_cast<SndfileSource*>(self)->size_}; },
    .seek =
        [](sf_count_t offset, int whence, void* self) {
          auto& source = *static_cast<SndfileSource*>(self);
          const sf_count_t origin = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? source.position_ : source.size_;
          source.position_ = std::max<sf_count_t>(0, origin + offset);
          return sf_count_t{source.position_};
        },
    .read =
        [](void* to, sf_count_t count, void* self) {
          return static_cast<SndfileSource*>(self)->read_bytes(
              {static_cast<unsigned char*>(to), static_cast<size_t>(count)});
        },
    .write = [](const void*, sf_count_t, void*) { return sf_count_t{0}; },
    .tell = [](void* self) { return sf_count_t{static_cast<SndfileSource*>(self)->position_}; }};

}  // namespace

std::unique_ptr<AudioSource> open_with_sndfile(const AudioFile& file) { return std::make_unique<SndfileSource>(file); }

}  // namespace melgrad
