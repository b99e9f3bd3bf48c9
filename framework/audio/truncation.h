// Detects Ogg and MP3 files that were cut off. Their decoders stop at the cut without an error. All other formats state
// their length, so that Decoder reports a cut.
#pragma once

#include <filesystem>
#include <string>

namespace melgrad {

// One line that names the file and the remedy; empty if the file is complete. A complete Ogg file ends with a page that
// is marked as the last one. A complete MP3 file ends with a whole frame and has as many bytes as its Info frame (Xing,
// LAME) states. Throws Error when the file cannot be read.
std::string truncation_warning(const std::filesystem::path& audio);

}  // namespace melgrad
