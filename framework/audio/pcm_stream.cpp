#include "framework/audio/pcm_stream.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>

#include "framework/audio/decoder.h"
#include "framework/audio/length_field.h"
#include "framework/terminal/interrupt.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

constexpr uint64_t unknown_size = std::numeric_limits<uint64_t>::max();

struct NamedFormat {
  const char* name;
  SampleFormat format;
  size_t bytes;
};
constexpr NamedFormat formats[] = {{"u8", SampleFormat::u8, 1},       {"s8", SampleFormat::s8, 1},
                                   {"s16le", SampleFormat::s16le, 2}, {"s16be", SampleFormat::s16be, 2},
                                   {"s24le", SampleFormat::s24le, 3}, {"s32le", SampleFormat::s32le, 4},
                                   {"f32le", SampleFormat::f32le, 4}, {"f64le", SampleFormat::f64le, 8}};

size_t bytes_of_sample(SampleFormat format) { return std::ranges::find(formats, format, &NamedFormat::format)->bytes; }

uint64_t little_endian(std::span<const unsigned char> bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

// The scales are those of libsndfile: full scale is 1.
float sample_value(SampleFormat format, std::span<const unsigned char> bytes) {
  const uint64_t value = little_endian(bytes);
  switch (format) {
    case SampleFormat::u8:
      return static_cast<float>(static_cast<int>(value) - 128) / 0x1p7f;
    case SampleFormat::s8:
      return static_cast<float>(static_cast<int8_t>(value)) / 0x1p7f;
    case SampleFormat::s16le:
      return static_cast<float>(static_cast<int16_t>(value)) / 0x1p15f;
    case SampleFormat::s16be:
      return static_cast<float>(static_cast<int16_t>(value << 8 | value >> 8)) / 0x1p15f;
    case SampleFormat::s24le:
      return static_cast<float>(static_cast<int32_t>(value << 8) >> 8) / 0x1p23f;
    case SampleFormat::s32le:
      return static_cast<float>(static_cast<int32_t>(value)) / 0x1p31f;
    case SampleFormat::f32le:
      return std::bit_cast<float>(static_cast<uint32_t>(value));
    case SampleFormat::f64le:
      return static_cast<float>(std::bit_cast<double>(value));
  }
  return 0;
}

SampleFormat wav_format(uint64_t tag, uint64_t bits) {
  if (tag == 1) {  // integers
    if (bits == 8) return SampleFormat::u8;
    if (bits == 16) return SampleFormat::s16le;
    if (bits == 24) return SampleFormat::s24le;
    if (bits == 32) return SampleFormat::s32le;
  } else if (tag == 3) {  // floats
    if (bits == 32) return SampleFormat::f32le;
    if (bits == 64) return SampleFormat::f64le;
  }
  fail(
      "standard input is WAV with format {} and {} bits per sample, which cannot be read while it arrives; convert it "
      "first, e.g. ffmpeg -i - -c:a pcm_s16le -f wav -",
      tag, bits);
}

}  // namespace

std::optional<SampleFormat> sample_format(std::string_view name) {
  const auto found = std::ranges::find_if(formats, [name](const NamedFormat& format) { return format.name == name; });
  if (found == std::end(formats)) return std::nullopt;
  return found->format;
}

std::vector<std::string> sample_format_names() {
  std::vector<std::string> names;
  for (const NamedFormat& format : formats) names.emplace_back(format.name);
  return names;
}

bool standard_input_is_live() {
  struct stat status {};
  return fstat(STDIN_FILENO, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

PcmStream::PcmStream(std::optional<PcmFormat> raw) : input_(open_for_reading("-")), size_of_samples_(unknown_size) {
  if (input_.get() < 0) fail("cannot read standard input: {}", std::strerror(errno));
  if (isatty(input_.get())) {
    fail("standard input is a terminal; audio is expected, e.g. arecord -f cd | melgrad predict RUN - --timeline");
  }
  if (raw) {
    format_ = *raw;
  } else {
    read_header();
  }
  if (format_.sample_rate < lowest_sample_rate || format_.sample_rate > highest_sample_rate) {
    fail("standard input has a sample rate of {} Hz; rates from {} to {} Hz are supported", format_.sample_rate,
         lowest_sample_rate, highest_sample_rate);
  }
}

// Waits in poll(), which a signal ends, and not in read(), which continues after it.
size_t PcmStream::receive(std::span<unsigned char> bytes) {
  while (!ended_ && !interrupted()) {
    pollfd ready{.fd = input_.get(), .events = POLLIN, .revents = 0};
    constexpr int milliseconds = 200;  // for a signal that arrives between interrupted() and poll()
    const int count = poll(&ready, 1, milliseconds);
    if (count < 0 && errno != EINTR) fail("cannot read standard input: {}", std::strerror(errno));
    if (count <= 0) continue;
    const ssize_t got = ::read(input_.get(), bytes.data(), bytes.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) fail("cannot read standard input: {}", std::strerror(errno));
    if (got > 0) return static_cast<size_t>(got);
    ended_ = true;
  }
  return 0;
}

bool PcmStream::receive_all(std::span<unsigned char> bytes) {
  while (!bytes.empty()) {
    const size_t got = receive(bytes);
    if (got == 0) return false;
    bytes = bytes.subspan(got);
  }
  return true;
}

void PcmStream::skip(uint64_t bytes) {
  std::array<unsigned char, 1 << 12> buffer;
  while (bytes > 0) {
    const size_t got = receive(std::span(buffer).first(std::min<size_t>(buffer.size(), bytes)));
    if (got == 0) return;
    bytes -= got;
  }
}

void PcmStream::read_header() {
  std::array<unsigned char, 12> riff{};
  const bool complete = receive_all(riff);
  const auto begins = [&](const char* name) { return std::memcmp(riff.data(), name, 4) == 0; };
  if (!complete || !(begins("RIFF") || begins("RF64")) || std::memcmp(riff.data() + 8, "WAVE", 4) != 0) {
    fail(
        "standard input is not WAV; give the format of the samples with --raw, or decode it first, e.g. ffmpeg -i "
        "song.mp3 -f wav - | melgrad predict RUN - --timeline");
  }
  uint64_t size_in_ds64 = unknown_size;
  bool has_format = false;
  std::array<unsigned char, 8> chunk{};
  while (receive_all(chunk)) {
    const uint64_t size = little_endian(std::span(chunk).subspan(4));
    const auto is = [&](const char* name) { return std::memcmp(chunk.data(), name, 4) == 0; };
    if (is("data")) {
      if (!has_format) break;
      size_of_samples_ = size == 0xFFFFFFFF ? size_in_ds64 : size;
      if (size_of_samples_ == 0 || is_nearly_2_gib(size)) size_of_samples_ = unknown_size;
      return;
    }
    if (is("fmt ")) {
      read_format(size);
      has_format = true;
    } else if (is("ds64") && size >= 16) {
      std::array<unsigned char, 16> sizes{};
      receive_all(sizes);
      size_in_ds64 = little_endian(std::span(sizes).subspan(8));
      skip(size - sizes.size() + size % 2);
    } else {
      skip(size + size % 2);
    }
  }
  fail("standard input is WAV without samples; record it again, or give the format of the samples with --raw");
}

void PcmStream::read_format(uint64_t size) {
  std::array<unsigned char, 40> fields{};
  if (size < 16) fail("standard input is WAV with a broken header; give the format of the samples with --raw");
  const auto read = std::min<uint64_t>(size, fields.size());
  receive_all(std::span(fields).first(read));
  skip(size - read + size % 2);
  const auto field = [&](size_t offset, size_t width) {
    return little_endian(std::span(fields).subspan(offset, width));
  };
  constexpr uint64_t extensible = 0xFFFE;  // the format is the beginning of an identifier
  const uint64_t tag = field(0, 2) == extensible && size >= 26 ? field(24, 2) : field(0, 2);
  format_ = {.samples = wav_format(tag, field(14, 2)),
             .sample_rate = static_cast<int>(std::min<uint64_t>(field(4, 4), std::numeric_limits<int>::max())),
             .channels = static_cast<int>(field(2, 2))};
  if (format_.channels < 1) fail("standard input is WAV with 0 channels; record it again");
}

size_t PcmStream::read(std::span<float> mono) {
  const size_t width = bytes_of_sample(format_.samples), channels = static_cast<size_t>(format_.channels);
  const size_t frame_bytes = width * channels;
  // A header may claim 65,535 channels.
  constexpr size_t most_at_a_time = 1 << 16;
  const size_t room = std::max(frame_bytes, std::min(mono.size() * frame_bytes, most_at_a_time));
  while (bytes_.size() < frame_bytes) {
    const uint64_t left = size_of_samples_ - received_;
    const size_t before = bytes_.size();
    bytes_.resize(before + std::min<uint64_t>(left, room - before));
    const size_t got = bytes_.size() == before ? 0 : receive(std::span(bytes_).subspan(before));
    bytes_.resize(before + got);
    received_ += got;
    if (got == 0) {
      if (frames_ == 0 && !interrupted()) fail("standard input holds no samples; record it again");
      return 0;
    }
  }
  const size_t count = bytes_.size() / frame_bytes;
  for (size_t i = 0; i < count; ++i, ++frames_) {
    const auto frame = std::span(bytes_).subspan(i * frame_bytes, frame_bytes);
    float sum = 0;  // in the order of Decoder, for the same rounding
    for (size_t c = 0; c < channels; ++c) sum += sample_value(format_.samples, frame.subspan(c * width, width));
    mono[i] = sum / static_cast<float>(channels);
    if (!(std::abs(mono[i]) <= loudest_sample)) {
      fail(
          "standard input has a sample of {:.3g} at {:.3f} s, full scale is 1; give the right --raw format, or repair "
          "it",
          mono[i], static_cast<double>(frames_) / format_.sample_rate);
    }
  }
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<int64_t>(count * frame_bytes));
  return count;
}

std::string PcmStream::warning() const {
  const double seconds = static_cast<double>(frames_) / format_.sample_rate;
  if (size_of_samples_ != unknown_size && received_ < size_of_samples_) {
    return fmt::format("standard input ended after {:.2f} s, {:.0f} % of the audio that its header claims", seconds,
                       std::floor(100.0 * static_cast<double>(received_) / static_cast<double>(size_of_samples_)));
  }
  if (!bytes_.empty()) {
    return fmt::format("standard input ended within a frame: its last {} bytes are not used", bytes_.size());
  }
  return "";
}

}  // namespace melgrad
