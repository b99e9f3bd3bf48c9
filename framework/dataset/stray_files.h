// Metadata files that macOS adds to archives and to file systems of other systems: ._song.wav has the name of a song
// but holds no audio. load_dataset ignores them; other programs count them as tracks.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace melgrad {

// The sorted names, relative to `root`, of the `._*` files below it. Folders that cannot be read are skipped.
std::vector<std::string> find_stray_files(const std::filesystem::path& root);

}  // namespace melgrad
