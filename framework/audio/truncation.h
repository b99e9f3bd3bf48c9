// Whether an Ogg or MP3 file was cut off. Their decoders stop at the cut without a word; all other formats state their
// length, so for them the Decoder says so.
#pragma once

#include <filesystem>
#include <string>

namespace melgrad {

// One line that names the file and the remedy; empty where nothing is missing. An Ogg file ends with a page that is
// marked as the last, an MP3 file with a whole frame, after as many bytes as its Info frame (Xing, LAME) tells of.
// Throws Error when the file cannot be read.
std::string truncation_warning(const std::filesystem::path& audio);

}  // namespace melgrad
