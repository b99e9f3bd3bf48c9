// PNG pictures, drawn by cairo and written atomically. Throw Error naming the path when it cannot be written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "framework/audio/log_mel.h"

namespace melgrad {

// A heat map with axes in seconds and Hz and a colour bar in dB.
void draw_spectrogram(const std::filesystem::path&, const LogMel&, const MelSettings&, const std::string& title);

// counts[i][j]: how many of true class i were predicted as class j. Cells are shaded by their share of the row.
void draw_confusion_matrix(const std::filesystem::path&, const std::vector<std::string>& labels,
                           const std::vector<std::vector<int64_t>>& counts, const std::string& title);

// A horizontal bar for each label, with its count written beside it.
void draw_bar_chart(const std::filesystem::path&, const std::vector<std::string>& labels,
                    const std::vector<int64_t>& counts, const std::string& title);

}  // namespace melgrad
