// Triangular filters, equally spaced on the mel scale, of unit area: librosa.filters.mel with norm="slaney".
#pragma once

#include <vector>

#include "framework/audio/log_mel.h"
#include "framework/device_array.h"
#include "kernels/mel.h"

namespace melgrad {

// Slaney's scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above. HTK's: 2595 log10(1 + hz / 700).
double hz_to_mel(double hz, bool htk);
double mel_to_hz(double mel, bool htk);

// n_mels + 2 frequencies in Hz: the lower edge of filter i, its peak (i + 1) and its upper edge (i + 2).
std::vector<double> mel_frequencies(const MelSettings&);

// In a device's memory.
class MelFilterBank {
 public:
  explicit MelFilterBank(const MelSettings&, Device = Device::cpu);
  kernel::MelFilters filters() const;

 private:
  DeviceArray<int32_t> first_bin_, offset_;
  DeviceArray<float> weights_;
};

}  // namespace melgrad
