// Triangular filters of unit area, equally spaced on the mel scale: librosa.filters.mel with norm="slaney".
#pragma once

#include <vector>

#include "framework/audio/log_mel.h"
#include "framework/device_array.h"
#include "kernels/mel.h"

namespace melgrad {

// Slaney's scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above. HTK's: 2595 log10(1 + hz / 700).
double hz_to_mel(double hz, bool htk);
double mel_to_hz(double mel, bool htk);

// n_mels + 2 frequencies in Hz: filter i has its lower edge at [i], its peak at [i + 1] and its upper edge at [i + 2].
std::vector<double> mel_frequencies(const MelSettings&);

// The number of filters between whose edges no bin of the FFT lies. Their output is 0 for every signal.
int64_t empty_mel_filters(const MelSettings& settings);

// The filters, in the memory of a device.
class MelFilterBank {
 public:
  explicit MelFilterBank(const MelSettings&, Device = Device::cpu);
  kernel::MelFilters filters() const;

 private:
  DeviceArray<int32_t> first_bin_, offset_;
  DeviceArray<float> weights_;
};

}  // namespace melgrad
