// One file of labels for each recording, for programs that show them beside the sound.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "framework/prediction/prediction_writer.h"

namespace melgrad {

// `target` is one file if its name ends with the format's extension, for one input. Otherwise it is a folder, in which
// the file is named like the input, with the folders below the one that was given: DIR/album/song.mp3.txt. The file is
// written when its input has ended, or failed after an answer.

// Audacity's label track, ".txt": start TAB end TAB label, in seconds with six decimals.
std::unique_ptr<PredictionWriter> audacity_writer(const std::filesystem::path& target);

// Raven's selection table, ".txt" (DIR/song.mp3.selections.txt): tab-separated with a header. The frequencies are the
// edges of the model's features, in Hz.
std::unique_ptr<PredictionWriter> raven_writer(const std::filesystem::path& target, double low_hz, double high_hz);

// JAMS 0.3, ".jams": one annotation in the namespace tag_open (a label for the recording) or, for a timeline,
// segment_open.
std::unique_ptr<PredictionWriter> jams_writer(const std::filesystem::path& target, bool timeline);

// Throws Error unless `target` is a folder or there is one input. `extension` is that of the option's format.
void require_single_input(const char* option, const std::filesystem::path& target, std::string_view extension,
                          size_t inputs);

}  // namespace melgrad
