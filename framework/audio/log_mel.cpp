#include "framework/audio/log_mel.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <mutex>
#include <new>
#include <numbers>

#include "framework/audio/decoder.h"
#include "framework/audio/mel_filter_bank.h"
#include "framework/audio/resampler.h"
#include "framework/device_array.h"
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

std::vector<double> hann_window(int n_fft) {
  std::vector<double> window;
  for (int i = 0; i < n_fft; ++i) {
    window.push_back(0.5 - 0.5 * std::cos(2 * std::numbers::pi * i / n_fft));
  }
  return window;
}

// Only one thread at a time may use a CUDA stream's workspace and profiler ranges. CPU kernels share nothing.
std::unique_lock<std::mutex> exclusive_use(Device device) {
  static std::mutex cuda;
  return device == Device::cuda ? std::unique_lock(cuda) : std::unique_lock<std::mutex>();
}

// Computes a spectrogram of samples that arrive in pieces. Holds the samples of one chunk of frames at a time.
class LogMelBuilder {
 public:
  LogMelBuilder(const MelSettings& settings, Device device) : LogMelBuilder(settings, device, exclusive_use(device)) {}

  // The caller appends samples here; process() then consumes those of whole chunks.
  std::vector<float>& pending() { return pending_; }

  void process() {
    const int64_t advance = chunk_frames_ * settings_.hop_length;
    const int64_t needed = std::max(advance, advance - settings_.hop_length + settings_.n_fft);
    int64_t consumed = 0;
    for (; static_cast<int64_t>(pending_.size()) - consumed >= needed; consumed += advance) {
      append_frames(pending_.data() + consumed, chunk_frames_);
    }
    pending_.erase(pending_.begin(), pending_.begin() + consumed);
    consumed_ += consumed;
  }

  // The size of the features of all frames computed so far.
  size_t feature_bytes() const { return static_cast<size_t>(settings_.n_mels * frames_) * sizeof(float); }

  LogMel finish() {
    pending_.resize(pending_.size() + static_cast<size_t>(settings_.n_fft / 2));
    process();
    const int64_t padded = consumed_ + static_cast<int64_t>(pending_.size());
    const int64_t frames = padded < settings_.n_fft ? 0 : 1 + (padded - settings_.n_fft) / settings_.hop_length;
    append_frames(pending_.data(), frames - frames_);

    LogMel result;
    result.n_mels = settings_.n_mels;
    result.frames = frames;
    const int64_t pad = settings_.n_fft / 2;
    result.seconds = static_cast<double>(padded - 2 * pad) / settings_.sample_rate;
    result.db.reserve(static_cast<size_t>(settings_.n_mels * frames));
    for (std::vector<float>& row : rows_) {
      result.db.insert(result.db.end(), row.begin(), row.end());
      row = {};
    }
    // The rows are on the host, whatever the device.
    kernel::limit_dynamic_range(Stream::of(Device::cpu), result.db.data(), static_cast<int64_t>(result.db.size()),
                                static_cast<float>(settings_.top_db));
    return result;
  }

 private:
  LogMelBuilder(const MelSettings& settings, Device device, const std::unique_lock<std::mutex>&)
      : device_(device),
        chunk_frames_(chunk_frames(settings, device)),
        settings_(settings),
        window_(hann_window(settings.n_fft), device),
        filter_bank_(settings, device),
        pending_(static_cast<size_t>(settings.n_fft / 2)),
        rows_(static_cast<size_t>(settings.n_mels)) {}

  // Computes chunk_ [n_mels, count]: the frames that begin at `samples`.
  void compute(const float* samples, int64_t count) {
    const auto lock = exclusive_use(device_);
    Stream& stream = Stream::of(device_);
    const auto length = static_cast<size_t>((count - 1) * settings_.hop_length + settings_.n_fft);
    chunk_.resize(static_cast<size_t>(settings_.n_mels * count));
    const DeviceArray<float> device_samples(std::span(samples, length), device_), db(chunk_.size(), device_);
    kernel::log_mel_spectrogram(stream, device_samples.data(), window_.data(), db.data(), filter_bank_.filters(),
                                {.count = count, .n_fft = settings_.n_fft, .hop_length = settings_.hop_length});
    stream.copy(chunk_.data(), db.data(), chunk_.size() * sizeof(float));
  }

  void append_frames(const float* samples, int64_t count) {
    if (count == 0) return;
    compute(samples, count);
    for (size_t mel = 0; mel < rows_.size(); ++mel) {
      const float* row = chunk_.data() + static_cast<int64_t>(mel) * count;
      rows_[mel].insert(rows_[mel].end(), row, row + count);
    }
    frames_ += count;
  }

  Device device_;
  int64_t chunk_frames_;
  MelSettings settings_;
  DeviceArray<double> window_;
  MelFilterBank filter_bank_;
  std::vector<float> pending_, chunk_;
  // One vector per mel bin, because the number of frames is known only at the end.
  std::vector<std::vector<float>> rows_;
  int64_t consumed_ = 0, frames_ = 0;
};

}  // namespace

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

LogMel log_mel(std::span<const float> mono, const MelSettings& settings, Device device) {
  validate(settings);
  if (mono.empty()) fail("a log-mel spectrogram needs at least one sample");
  const auto finite = [](float sample) { return std::isfinite(sample); };
  if (!std::all_of(mono.begin(), mono.end(), finite)) fail("a sample is not a finite number");
  LogMelBuilder builder(settings, device);
  constexpr size_t piece = 1 << 15;
  const size_t bytes = mono.size_bytes();
  for (; !mono.empty(); mono = mono.subspan(std::min(piece, mono.size()))) {
    const auto samples = mono.first(std::min(piece, mono.size()));
    builder.pending().insert(builder.pending().end(), samples.begin(), samples.end());
    builder.process();
    require_modest(builder.feature_bytes(), bytes, settings, "the samples");
  }
  return builder.finish();
}

}  // namespace melgrad
