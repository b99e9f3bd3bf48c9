// Data sets with a manifest, melgrad's own table of tracks.
#pragma once

#include <filesystem>

#include "framework/dataset/dataset.h"

namespace melgrad {

// Reads path,label[,group][,fold][,split] in any order; see load_dataset. "-" is the standard input.
Dataset load_manifest(const std::filesystem::path& file);

}  // namespace melgrad
