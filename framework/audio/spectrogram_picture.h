// A log-mel spectrogram as a PNG file.
#pragma once

#include <filesystem>
#include <string>

#include "framework/audio/log_mel.h"

namespace melgrad {

// A heat map with axes in seconds and Hz and a colour bar in dB. Throws WriteError naming the path when the file cannot
// be written.
void draw_spectrogram(const std::filesystem::path&, const LogMel&, const MelSettings&, const std::string& title);

}  // namespace melgrad
