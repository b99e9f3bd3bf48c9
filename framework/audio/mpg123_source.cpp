#include <mpg123.h>

#include <cstdio>
#include <string>

#include "framework/audio/audio_source.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

class Mpg123Source final : public AudioSource {
 public:
  explicit Mpg123Source(const AudioFile& file) : file_(file) {
    static const int initialised = mpg123_init();
    int error = initialised;
    if (error == MPG123_OK) handle_.reset(mpg123_new(nullptr, &error));
    if (!handle_) fail("{}", mpg123_plain_strerror(error));
    // NO_FRANKENSTEIN ends the stream where its format changes, which is usually at a tag mistaken for a frame. Files
    // that were joined arrive here in parts.
    const long flags = MPG123_FORCE_FLOAT | MPG123_GAPLESS | MPG123_NO_FRANKENSTEIN | MPG123_QUIET;
    check(mpg123_param(handle_.get(), MPG123_REMOVE_FLAGS, MPG123_AUTO_RESAMPLE, 0));
    check(mpg123_param(handle_.get(), MPG123_ADD_FLAGS, flags, 0));
    check(mpg123_replace_reader_handle(handle_.get(), read_bytes, seek, nullptr));
    check(mpg123_open_handle(handle_.get(), this));
    long rate = 0;
    int encoding = 0;
    check(mpg123_getformat(handle_.get(), &rate, &channels_, &encoding));
    sample_rate_ = static_cast<int>(rate);
  }

  size_t read(std::span<float> interleaved) override {
    const size_t frame_bytes = static_cast<size_t>(channels_) * sizeof(float);
    const size_t wanted = interleaved.size_bytes() / frame_bytes * frame_bytes;
    size_t bytes = 0;
    const int result = mpg123_read(handle_.get(), interleaved.data(), wanted, &bytes);
    if (result != MPG123_DONE) check(result);
    return bytes / frame_bytes;
  }

 private:
  struct Deleter {
    void operator()(mpg123_handle* handle) const noexcept { mpg123_delete(handle); }
  };
  static mpg123_ssize_t read_bytes(void* self, void* to, size_t count) {
    auto& source = *static_cast<Mpg123Source*>(self);
    try {
      const size_t got = source.file_.read_at(source.position_, {static_cast<unsigned char*>(to), count});
      source.position_ += static_cast<int64_t>(got);
      return static_cast<mpg123_ssize_t>(got);
    } catch (const Error& error) {
      source.read_error_ = error.what();
      return -1;
    }
  }
  static off_t seek(void* self, off_t offset, int whence) {
    auto& source = *static_cast<Mpg123Source*>(self);
    const int64_t origin = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? source.position_ : source.file_.size();
    return source.position_ = std::max<int64_t>(0, origin + offset);
  }
  void check(int result) const {
    if (!read_error_.empty()) fail("{}", read_error_);
    if (result == MPG123_DONE) fail("it holds no MPEG audio frame");
    if (result != MPG123_OK)
      fail("{}", result == MPG123_ERR ? mpg123_strerror(handle_.get()) : mpg123_plain_strerror(result));
  }

  const AudioFile& file_;
  int64_t position_ = 0;
  std::string read_error_;
  std::unique_ptr<mpg123_handle, Deleter> handle_;
};

}  // namespace

std::unique_ptr<AudioSource> open_with_mpg123(const AudioFile& file) { return std::make_unique<Mpg123Source>(file); }

}  // namespace melgrad
