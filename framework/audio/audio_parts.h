// Divides an audio file into the parts that a decoder reads one after the other, and finds what no decoder reads. Files
// that were joined consist of several parts: a chained Ogg file, MP3s that were concatenated. Decoding libraries stop
// after the first one, or at its stated length, without an error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/audio/audio_file.h"

namespace melgrad {

struct AudioPart {
  AudioFile bytes;
  bool is_mpeg;  // for libmpg123; otherwise for libsndfile
};

struct AudioParts {
  std::vector<AudioPart> parts;       // at least one
  std::string cut;                    // "Ogg" or "MP3" if the file was cut off there; empty if it is complete
  std::vector<std::string> losses{};  // bytes that are not read, such as "5200 bytes of Speex"
};

// `file` has no tags (tags.h). Throws Error that names the file and its true format if it holds no audio that melgrad
// decodes.
AudioParts find_audio_parts(const AudioFile& file);

// Stray bytes between frames or behind the audio are common and harmless. More than about 1 % of a file, or 64 KiB, may
// have been audio.
bool is_much(int64_t bytes, const AudioFile& file);

// MPEG audio behind up to 64 KiB of other data, which libmpg123 skips. For files that libsndfile has refused.
std::optional<AudioParts> find_hidden_mpeg_parts(const AudioFile& file);

// "FILE is FORMAT, which is not supported; convert it, e.g. ffmpeg -i FILE FILE.wav".
[[noreturn]] void fail_unsupported(const AudioFile& file, std::string_view format);

// A command that converts the file to WAV.
std::string conversion_command(const AudioFile& file);

}  // namespace melgrad
