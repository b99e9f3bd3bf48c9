// Files that macOS leaves in archives and on foreign disks beside the real ones: ._song.wav has a song's name and no
// sound in it. load_dataset passes them over; other programs count them as tracks.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace melgrad {

// Names relative to `root`, sorted, of the `._*` files below it. Folders that cannot be read are passed over.
std::vector<std::string> find_stray_files(const std::filesystem::path& root);

}  // namespace melgrad
