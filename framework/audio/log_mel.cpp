#include "framework/audio/log_mel.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cmath>
#include <limits>
#include <mutex>
#include <new>
#include <numbers>

#include "framework/audio/decoder.h"
#include "framework/audio/mel_filter_bank.h"
#include "framework/audio/resampler.h"
#include "framework/device_array.h"
#include "kernels/device/parallel.h"
#include "kernels/mel.h"

namespace melgrad {
namespace {

// Untrusted settings and an untrusted file, each within its own limits, could together turn a few bytes of FLAC into
// gigabytes of features. At the default settings, the most compact music that Decoder accepts gives 88 bytes of
// features per byte of the file.
constexpr size_t free_feature_bytes = size_t{64} << 20, most_feature_bytes_a_byte = 100;

void require_modest(size_t feature_bytes, size_t source_bytes, const MelSettings& settings, const std::string& source) {
  if (feature_bytes <= free_feature_bytes + most_feature_bytes_a_byte * source_bytes) return;
  fail(
      "{}: its {} bytes give more than {} MiB of features at n_mels {} and hop_length {}; raise hop_length, or use a "
      "model that was trained with a longer one",
      source, source_bytes, feature_bytes >> 20, settings.n_mels, settings.hop_length);
}

// The number of frames to compute at a time. It limits each buffer (samples, windows, mel bins) to 32 MiB.
int64_t chunk_frames(const MelSettings& settings, Device device) {
  constexpr int64_t most_values = int64_t{1} << 23;
  const int64_t widest = std::max({settings.hop_length, settings.n_fft, settings.n_mels});
  return std::clamp<int64_t>(most_values / widest, 1, device == Device::cpu ? 128 : 4096);
}

// Only one thread at a time may use a CUDA stream's workspace and profiler ranges. CPU kernels share nothing.
std::unique_lock<std::mutex> exclusive_use(Device device) {
  static std::mutex cuda;
  return device == Device::cuda ? std::unique_lock(cuda) : std::unique_lock<std::mutex>();
}

// Computes spectrograms whose dynamic range is not limited yet.
class FrameTransform {
 public:
  FrameTransform(const MelSettings& settings, Device device)
      : FrameTransform(settings, device, exclusive_use(device)) {}

  // db [n_mels, count]: `count` frames of `samples`, the first of which begins at index `start` of the samples. Samples
  // before and after the given ones are zeros.
  void compute(std::span<const float> samples, int64_t start, int64_t count, float* db) const {
    const kernel::MelFrames frames{.count = count,
                                   .n_fft = settings_.n_fft,
                                   .hop_length = settings_.hop_length,
                                   .start = start,
                                   .length = std::ssize(samples),
                                   .precision = sufficient_precision(settings_)};
    const auto lock = exclusive_use(device_);
    Stream& stream = Stream::of(device_);
    const auto run = [&](const float* from, float* to) {
      kernel::log_mel_spectrogram(stream, from, window_.data(), to, filter_bank_.filters(), frames);
    };
    if (device_ == Device::cpu) return run(samples.data(), db);
    const DeviceArray<float> device_samples(samples, device_);
    const DeviceArray<float> device_db(static_cast<size_t>(settings_.n_mels * count), device_);
    run(device_samples.data(), device_db.data());
    stream.copy(db, device_db.data(), static_cast<size_t>(settings_.n_mels * count) * sizeof(float));
  }

 private:
  FrameTransform(const MelSettings& settings, Device device, const std::unique_lock<std::mutex>&)
      : device_(device),
        settings_(settings),
        window_(hann_window(settings.n_fft), device),
        filter_bank_(settings, device) {}

  Device device_;
  MelSettings settings_;
  DeviceArray<double> window_;
  MelFilterBank filter_bank_;
};

// The number of frames of `samples` samples between n_fft / 2 zeros on either side.
int64_t frame_count(int64_t samples, const MelSettings& settings) {
  const int64_t padded = samples + settings.n_fft / 2 * int64_t{2};
  return padded < settings.n_fft ? 0 : 1 + (padded - settings.n_fft) / settings.hop_length;
}

void limit_range(LogMel& mel, const MelSettings& settings) {
  // The values are on the host, whatever the device.
  kernel::limit_dynamic_range(Stream::of(Device::cpu), mel.db.data(), std::ssize(mel.db),
                              static_cast<float>(settings.top_db));
}

// Computes a spectrogram of samples that arrive in pieces. Holds the samples of one chunk of frames at a time.
class LogMelBuilder {
 public:
  LogMelBuilder(const MelSettings& settings, Device device)
      : transform_(settings, device),
        chunk_frames_(chunk_frames(settings, device)),
        settings_(settings),
        rows_(static_cast<size_t>(settings.n_mels)) {}

  // The caller appends samples here; process() then consumes those of whole chunks.
  std::vector<float>& pending() { return pending_; }

  void process() {
    while (next_start() + (chunk_frames_ - 1) * settings_.hop_length + settings_.n_fft <=
           dropped_ + std::ssize(pending_)) {
      append_frames(chunk_frames_);
    }
    // Samples before the next frame are not needed any more. Moving the others costs time, so not in every call.
    const int64_t unused = std::min(next_start() - dropped_, std::ssize(pending_));
    if (unused < std::ssize(pending_) / 2) return;
    pending_.erase(pending_.begin(), pending_.begin() + unused);
    dropped_ += unused;
  }

  // The size of the features of all frames computed so far.
  size_t feature_bytes() const { return static_cast<size_t>(settings_.n_mels * frames_) * sizeof(float); }

  LogMel finish() {
    const int64_t samples = dropped_ + std::ssize(pending_);
    LogMel result;
    result.n_mels = settings_.n_mels;
    result.frames = frame_count(samples, settings_);
    result.seconds = static_cast<double>(samples) / settings_.sample_rate;
    while (frames_ < result.frames) append_frames(std::min(chunk_frames_, result.frames - frames_));
    result.db.reserve(static_cast<size_t>(settings_.n_mels * result.frames));
    for (std::vector<float>& row : rows_) {
      result.db.insert(result.db.end(), row.begin(), row.end());
      row = {};
    }
    limit_range(result, settings_);
    return result;
  }

 private:
  // Where the next frame begins, as an index of all samples.
  int64_t next_start() const { return frames_ * settings_.hop_length - settings_.n_fft / 2; }

  void append_frames(int64_t count) {
    chunk_.resize(static_cast<size_t>(settings_.n_mels * count));
    // Only what the frames need, because a GPU gets a copy of it.
    const int64_t start = next_start() - dropped_, first = std::clamp<int64_t>(start, 0, std::ssize(pending_));
    const int64_t end = start + (count - 1) * settings_.hop_length + settings_.n_fft;
    const auto needed = std::span(pending_).subspan(static_cast<size_t>(first));
    transform_.compute(needed.first(static_cast<size_t>(std::min(end - first, std::ssize(needed)))), start - first,
                       count, chunk_.data());
    for (size_t mel = 0; mel < rows_.size(); ++mel) {
      const float* row = chunk_.data() + static_cast<int64_t>(mel) * count;
      rows_[mel].insert(rows_[mel].end(), row, row + count);
    }
    frames_ += count;
  }

  FrameTransform transform_;
  int64_t chunk_frames_;
  MelSettings settings_;
  std::vector<float> pending_, chunk_;
  // One vector per mel bin, because the number of frames is known only at the end.
  std::vector<std::vector<float>> rows_;
  int64_t dropped_ = 0, frames_ = 0;  // samples no longer in pending_; frames in rows_
};

}  // namespace

std::vector<double> hann_window(int n_fft) {
  std::vector<double> window;
  for (int i = 0; i < n_fft; ++i) {
    window.push_back(0.5 - 0.5 * std::cos(2 * std::numbers::pi * i / n_fft));
  }
  return window;
}

// The error of float32 transforms grows with the distance of a value from the loudest one and falls with the length of
// the transform. At n_fft 2048 it reached 0.00085 dB over 15 signals and recordings for values up to 80 dB below the
// maximum, but 0.0016 dB for values up to 85 dB below, and 0.0012 dB at n_fft 1024. Lengths with other factors than 2
// take more operations on each value.
kernel::FftPrecision sufficient_precision(const MelSettings& settings) {
  constexpr double most_db = 80;
  constexpr unsigned least_n_fft = 2048;
  const auto n_fft = static_cast<unsigned>(settings.n_fft);
  const bool float32_suffices = settings.top_db <= most_db && n_fft >= least_n_fft && std::has_single_bit(n_fft);
  return float32_suffices ? kernel::FftPrecision::float32 : kernel::FftPrecision::float64;
}

void validate(const MelSettings& settings) {
  const double nyquist = settings.sample_rate / 2.0;
  if (settings.sample_rate < 1 || settings.sample_rate > highest_sample_rate) {
    fail("sample_rate is {} Hz; it must be 1 to {} Hz", settings.sample_rate, highest_sample_rate);
  }
  if (settings.n_fft < 2 || settings.n_fft > most_n_fft) {
    fail("n_fft is {}; it must be 2 to {}", settings.n_fft, most_n_fft);
  }
  if (settings.hop_length < 1 || settings.hop_length > 1 << 20) {
    fail("hop_length is {}; it must be 1 to 1048576", settings.hop_length);
  }
  if (settings.n_mels < 1 || settings.n_mels > 1 << 16) fail("n_mels is {}; it must be 1 to 65536", settings.n_mels);
  if (!(settings.highest_frequency() > 0 && settings.highest_frequency() <= nyquist)) {
    fail("fmax is {} Hz; it must be positive and at most half the sample rate, {} Hz", settings.fmax, nyquist);
  }
  if (!(settings.fmin >= 0 && settings.fmin < settings.highest_frequency())) {
    fail("fmin is {} Hz; it must be at least 0 and below fmax, {} Hz", settings.fmin, settings.highest_frequency());
  }
  if (!(settings.top_db > 0) || !std::isfinite(settings.top_db)) {
    fail("top_db is {}; it must be above 0, and finite: at 0 all values of a file would be equal", settings.top_db);
  }
  // A filter is above 0 strictly between its edges, and the filters overlap.
  const double bin_hz = static_cast<double>(settings.sample_rate) / settings.n_fft;
  if (bin_hz * (std::floor(settings.fmin / bin_hz) + 1) >= settings.highest_frequency()) {
    fail("all mel filters are empty: no bin of the FFT lies between fmin, {} Hz, and fmax, {} Hz; raise n_fft",
         settings.fmin, settings.highest_frequency());
  }
  // This is 190 times the number at the default settings. Settings are read from checkpoints, which may be untrusted.
  constexpr double most_values = 1 << 20;
  const double values = static_cast<double>(settings.n_mels) * settings.sample_rate / settings.hop_length;
  if (values > most_values) {
    fail(
        "n_mels {} at hop_length {} gives {:.0f} values per second of audio, at most {:.0f} are allowed; raise "
        "hop_length",
        settings.n_mels, settings.hop_length, values, most_values);
  }
}

std::vector<std::string> setting_notes(const MelSettings& settings) {
  std::vector<std::string> notes;
  if (const int64_t empty = empty_mel_filters(settings); empty > 0) {
    notes.push_back(fmt::format(
        "{} of {} mel filters are empty and always give the lowest value: the FFT is too coarse for so many; "
        "lower --n-mels or raise --n-fft",
        empty, settings.n_mels));
  }
  if (settings.hop_length > settings.n_fft) {
    notes.push_back(
        fmt::format("hop_length {} is longer than n_fft {}: {} of {} samples are not used; lower --hop-length",
                    settings.hop_length, settings.n_fft, settings.hop_length - settings.n_fft, settings.hop_length));
  }
  return notes;
}

std::string description(const MelSettings& settings) {
  return fmt::format(
      "log_mel sample_rate={} n_fft={} hop_length={} n_mels={} fmin={} fmax={} scale={} top_db={} resampler=soxr_hq",
      settings.sample_rate, settings.n_fft, settings.hop_length, settings.n_mels, settings.fmin,
      settings.highest_frequency(), settings.htk ? "htk" : "slaney", settings.top_db);
}

namespace {

LogMel decode_to_log_mel(const std::filesystem::path& file, const MelSettings& settings, Device device) {
  Decoder decoder(file);
  const auto bytes = static_cast<size_t>(decoder.file_bytes());
  Resampler resampler(decoder.sample_rate(), settings.sample_rate);
  LogMelBuilder builder(settings, device);
  // This also limits the size of a piece after resampling.
  constexpr double most_resampled = 1 << 20;
  const double piece = most_resampled * decoder.sample_rate() / settings.sample_rate;
  std::vector<float> mono(static_cast<size_t>(std::clamp<double>(piece, 256, 1 << 15)));
  Stream& cpu = Stream::of(Device::cpu);
  while (const size_t count = in_phase(cpu, "decode", [&] { return decoder.read(mono); })) {
    in_phase(cpu, "resample", [&] { resampler.process(std::span(mono).first(count), builder.pending()); });
    in_phase(cpu, "log-mel", [&] { builder.process(); });
    require_modest(builder.feature_bytes(), bytes, settings, file.string());
  }
  in_phase(cpu, "resample", [&] { resampler.finish(builder.pending()); });
  LogMel result = in_phase(cpu, "log-mel", [&] { return builder.finish(); });
  result.seconds = static_cast<double>(decoder.samples()) / decoder.sample_rate();
  result.warning = decoder.warning();
  return result;
}

}  // namespace

LogMel log_mel(const std::filesystem::path& file, const MelSettings& settings, Device device) {
  validate(settings);
  errno = 0;
  try {
    return decode_to_log_mel(file, settings, device);
  } catch (const Error&) {
    // The decoding libraries report a failed malloc as an error of the file.
    if (errno == ENOMEM) throw std::bad_alloc();
    throw;
  }
}

namespace {

bool all_finite(std::span<const float> samples) {
  std::atomic<bool> result = true;
  kernel::for_each_chunk(std::ssize(samples), 4 * kernel::elements_per_chunk, [&](int64_t, int64_t begin, int64_t end) {
    int outside = 0;  // no early end, so that the compiler uses vectors
    for (const float* sample = samples.data() + begin; sample < samples.data() + end; ++sample) {
      outside |= !(std::abs(*sample) <= std::numeric_limits<float>::max());
    }
    if (outside) result = false;
  });
  return result;
}

}  // namespace

LogMel log_mel(std::span<const float> mono, const MelSettings& settings, Device device) {
  validate(settings);
  if (mono.empty()) fail("a log-mel spectrogram needs at least one sample");
  if (!all_finite(mono)) fail("a sample is not a finite number");
  const int64_t frames = frame_count(std::ssize(mono), settings);
  const auto values = static_cast<size_t>(settings.n_mels * frames);
  require_modest(values * sizeof(float), mono.size_bytes(), settings, "the samples");
  if (device == Device::cpu) {
    LogMel result{.n_mels = settings.n_mels, .frames = frames, .db = std::vector<float>(values)};
    result.seconds = static_cast<double>(mono.size()) / settings.sample_rate;
    FrameTransform(settings, device).compute(mono, -settings.n_fft / 2, frames, result.db.data());
    limit_range(result, settings);
    return result;
  }
  // A GPU may have too little memory for all samples.
  LogMelBuilder builder(settings, device);
  constexpr size_t piece = 1 << 15;
  for (; !mono.empty(); mono = mono.subspan(std::min(piece, mono.size()))) {
    const auto samples = mono.first(std::min(piece, mono.size()));
    builder.pending().insert(builder.pending().end(), samples.begin(), samples.end());
    builder.process();
  }
  return builder.finish();
}

}  // namespace melgrad
