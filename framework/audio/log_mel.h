// Log-mel spectrograms as librosa 0.11 computes them: melspectrogram (centred frames, zero padding, periodic Hann
// window, power 2, Slaney area normalisation), then power_to_db with ref = 1 and amin = 1e-10.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "kernels/device/stream.h"
#include "kernels/mel.h"

namespace melgrad {

constexpr int most_n_fft = 1 << 16;

struct MelSettings {
  int sample_rate = 22050;  // Hz; audio of any other rate is resampled to it
  int n_fft = 2048;
  int hop_length = 512;
  int n_mels = 128;
  double fmin = 0;  // Hz
  double fmax = 0;  // Hz; 0: sample_rate / 2
  bool htk = false;
  double top_db = 80;  // values further below the clip's maximum are raised to this limit

  double highest_frequency() const { return fmax == 0 ? sample_rate / 2.0 : fmax; }
  bool operator==(const MelSettings&) const = default;
};

// Throws Error that names the first invalid setting and its valid range.
void validate(const MelSettings&);

// Returns one line for each way in which valid settings lose information: empty mel filters (librosa warns of them too)
// and samples between two frames.
std::vector<std::string> setting_notes(const MelSettings&);

// One line with every setting, such as "log_mel sample_rate=22050 n_fft=2048 ...". Settings with equal lines give equal
// features.
std::string description(const MelSettings&);

// The precision of the Fourier transforms with which values up to top_db below the maximum err by less than 0.001 dB.
kernel::FftPrecision sufficient_precision(const MelSettings&);

// The periodic Hann window: 0.5 - 0.5 cos(2 pi i / n_fft).
std::vector<double> hann_window(int n_fft);

struct LogMel {
  int64_t n_mels = 0;
  int64_t frames = 0;     // 1 + floor(samples / hop_length) for even n_fft
  std::vector<float> db;  // [n_mels, frames], row-major
  double seconds = 0;     // length of the audio
  std::string warning;    // Decoder::warning(): what was not read of the file; empty if everything was
};

// Decodes the file, mixes it to mono and resamples it in pieces, so that memory grows with the features, not the audio.
// The device computes the spectrogram. Several threads may call it at once. Throws Error naming the file when it cannot
// be decoded, and when the features would take more than 64 MiB plus 100 times the file's size.
LogMel log_mel(const std::filesystem::path& file, const MelSettings&, Device = Device::cpu);

// The same for samples at settings.sample_rate. The bound refers to the size of the samples.
LogMel log_mel(std::span<const float> mono, const MelSettings&, Device = Device::cpu);

}  // namespace melgrad
