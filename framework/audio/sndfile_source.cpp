#include <sndfile.h>

#include <algorithm>
#include <mutex>

#include "framework/audio/audio_source.h"
#include "framework/audio/length_field.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

std::string opening_error() {
  const std::string reason = sf_strerror(nullptr);
  // libsndfile 1.2 reports a sample rate of 0 with a text that contains SF_INFO.
  return reason.find("SF_INFO") == std::string::npos ? reason : "its header claims 0 Hz, or 0 channels";
}

class SndfileSource final : public AudioSource {
 public:
  explicit SndfileSource(const AudioFile& file) : file_(file), size_(file.size()) {
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
    if (!handle_) fail("{}", opening_error());
    sample_rate_ = info.samplerate;
    channels_ = info.channels;
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
      return static_cast<size_t>(frames);
    }
    if (sf_error(handle_.get()) != SF_ERR_NO_ERROR) fail("{}", sf_strerror(handle_.get()));
    if (static_cast<double>(decoded_) < 0.99 * static_cast<double>(promised_)) fail("the file ends too early");
    return 0;
  }

 private:
  struct Deleter {
    void operator()(SNDFILE* handle) const noexcept { sf_close(handle); }
  };
  static SF_VIRTUAL_IO input_;

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
  std::optional<LengthField> unknown_length_;  // a field that holds a placeholder
  int64_t promised_ = 0, decoded_ = 0;         // frames; promised_ is 0 if the header states no length
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
          auto& source = *static_cast<SndfileSource*>(self);
          const std::span buffer(static_cast<unsigned char*>(to), static_cast<size_t>(count));
          const size_t got = source.file_.read_at(source.position_, buffer);
          source.hide_length(source.position_, buffer.first(got));
          source.position_ += static_cast<int64_t>(got);
          return static_cast<sf_count_t>(got);
        },
    .write = [](const void*, sf_count_t, void*) { return sf_count_t{0}; },
    .tell = [](void* self) { return sf_count_t{static_cast<SndfileSource*>(self)->position_}; }};

}  // namespace

std::unique_ptr<AudioSource> open_with_sndfile(const AudioFile& file) { return std::make_unique<SndfileSource>(file); }

}  // namespace melgrad
