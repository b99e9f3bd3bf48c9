// Recognises the format of a file by its content and by its name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "framework/audio/audio_file.h"

namespace melgrad {

// True if the extension, in lower case and with its dot, is that of a format that Decoder reads.
bool is_readable_extension(std::string_view extension);

// True if the content is recognised as a format that Decoder reads, by the same kind of marks as below.
bool is_known_audio(const AudioFile&);

// A format that Decoder does not read, and the remedy.
struct ForeignFormat {
  std::string_view name;  // "AAC (ADTS)", "an HTML page"
  // Empty: audio that can be converted. Otherwise the file is not audio: "unpack it", "download it again".
  std::string_view remedy;
};

// Recognises formats by a mark of at least three bytes, or by several consecutive frames of consistent lengths, because
// a shorter mark occurs by chance in almost any file. Empty for formats that Decoder reads and for unknown data.
std::optional<ForeignFormat> foreign_format(const AudioFile&);

// The same for text, which some audio formats begin with. Call it when the decoding libraries have refused the file.
std::optional<ForeignFormat> text_format(const AudioFile&);

}  // namespace melgrad
