// Playlists of the recordings of each class, for music players.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/prediction/prediction_writer.h"

namespace melgrad {

// finish() writes FOLDER/LABEL.m3u8 for each label, also for those without a recording, so that no playlist of an
// earlier call remains: extended M3U in UTF-8 with the length in seconds and the path relative to the folder. '/' and a
// leading '.' in a label become '_' in the name of the file. A path that a playlist cannot hold, because it has a line
// break or is not UTF-8, is passed to `warn` as one line.
std::unique_ptr<PredictionWriter> playlist_writer(const std::filesystem::path& folder,
                                                  const std::vector<std::string>& labels,
                                                  std::function<void(const std::string&)> warn);

}  // namespace melgrad
