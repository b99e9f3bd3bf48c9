// Data sets without a manifest: folders whose names are the labels.
#pragma once

#include <filesystem>

#include "framework/dataset/dataset.h"

namespace melgrad {

// Reads FOLDER/<genre>/**/<track>, also below train, val and test (Track::split) or fold1, fold2, ... (Track::fold), or
// a folder that holds one of these under a name that downloads of GTZAN use (genres, genres_original,
// Data/genres_original). Throws Error if the folder has another shape or no tracks.
Dataset load_genre_folders(const std::filesystem::path& folder);

}  // namespace melgrad
