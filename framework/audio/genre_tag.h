// Writes the genre into the tags of audio files.
#pragma once

#include <filesystem>
#include <string>

namespace melgrad {

// Writes a copy of `source` whose tag has this genre to `target`, atomically; the two may be the same file. All other
// tags and the audio stay as they are: before `target` is written, `source` and the copy are decoded, and their rates,
// their numbers of channels and all samples of the mean of the channels are compared. Throws Error if the format has no
// tags that TagLib writes (CAF, AU, W64), or if the audio would have changed, and WriteError; then `target` is as it
// was.
void write_genre(const std::filesystem::path& source, const std::filesystem::path& target, const std::string& genre);

}  // namespace melgrad
