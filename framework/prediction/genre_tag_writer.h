// Writes the label of each recording into the tag of a copy of its file, or of the file itself.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "framework/prediction/prediction_writer.h"

namespace melgrad {

// Copies go to FOLDER/name of the input. An empty `folder` tags the files themselves. Recordings with the label
// "unsure" are passed over, and neither copied. A file that cannot be tagged is passed to `failed` as one line and does
// not stop the others; WriteError does.
std::unique_ptr<PredictionWriter> genre_tag_writer(const std::filesystem::path& folder,
                                                   std::function<void(const std::string&)> failed);

}  // namespace melgrad
