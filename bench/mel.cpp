#include <nlohmann/json.hpp>

#include "bench/benchmarks.h"
#include "bench/random_values.h"
#include "bench/timing.h"
#include "framework/audio/mel_filter_bank.h"
#include "framework/device_array.h"
#include "framework/tensor.h"
#include "kernels/mel.h"

namespace melgrad::bench {

nlohmann::ordered_json mel(const Settings& s) {
  constexpr int64_t clips = 256, frames_a_clip = 130;
  const MelSettings settings;
  Stream& stream = Stream::of(s.device);
  // One long signal with as many frames as all clips together, so the same amount of work.
  const kernel::MelFrames frames{
      .count = clips * frames_a_clip, .n_fft = settings.n_fft, .hop_length = settings.hop_length};
  const int64_t samples = (frames.count - 1) * frames.hop_length + frames.n_fft;
  const Tensor signal = random_values({samples}, DType::float32, s.device);
  const Tensor db = Tensor::empty({settings.n_mels, frames.count}, DType::float32, s.device);
  const DeviceArray<double> window(std::vector(static_cast<size_t>(settings.n_fft), 0.5), s.device);
  const MelFilterBank filter_bank(settings, s.device);
  const Timing timing = measure(stream, [&] {
    kernel::log_mel_spectrogram(stream, signal.as<float>(), window.data(), db.as<float>(), filter_bank.filters(),
                                frames);
  });
  const double audio = static_cast<double>(samples) / settings.sample_rate;
  fmt::print("log-mel of {} clips of 3 s: {:.3f} ms, {:.0f} s of audio a second\n", clips, timing.median_seconds * 1e3,
             audio / timing.median_seconds);
  return {{"clips", clips},
          {"seconds_of_audio", audio},
          {"seconds", timing.median_seconds},
          {"least_seconds", timing.least_seconds}};
}

}  // namespace melgrad::bench
