// Log-mel spectrograms as PNG files.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "framework/audio/log_mel.h"

namespace melgrad {

// A heat map with axes in seconds and Hz and a colour bar in dB: the bytes of a PNG file, or the file. Throws
// WriteError naming the path when the file cannot be written.
std::string spectrogram_png(const LogMel&, const MelSettings&, const std::string& title);
void draw_spectrogram(const std::filesystem::path&, const LogMel&, const MelSettings&, const std::string& title);

// A grey spectrogram with axes in seconds and Hz. `relevance`, [n_mels, frames] from 0 to 1 and row-major, colours the
// parts that matter; a curve above the spectrogram shows its mean over the mel bins. Throws WriteError.
void draw_relevance(const std::filesystem::path&, const LogMel&, const MelSettings&, std::span<const float> relevance,
                    const std::string& title);

// The mean of `values` [n_mels, frames] over the mel bins and frames that each pixel covers, row by row; row 0 has the
// highest frequencies.
std::vector<double> pixel_means(std::span<const float> values, int64_t n_mels, int64_t frames, int columns, int rows);

// The frequencies in Hz to label on an axis of `height` for which labels need `closest`, with their distances from the
// lower end. Mel bins are equally high and centred on the peaks of their filters; a label is drawn at its frequency on
// the mel scale.
struct FrequencyTick {
  double hertz, height;
};
std::vector<FrequencyTick> frequency_ticks(const MelSettings&, double height, double closest);

}  // namespace melgrad
