#include "framework/audio/audio_parts.h"

#include <algorithm>
#include <optional>

#include "framework/audio/format.h"
#include "framework/audio/length_field.h"
#include "framework/audio/mpeg_frames.h"
#include "framework/audio/ogg_pages.h"
#include "framework/terminal/text.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

AudioParts mpeg_parts(const AudioFile& file, int64_t first) {
  MpegStreams mpeg = split_mpeg_streams(file, first);
  mpeg.skipped_bytes += first - std::min(first, file.skip_zeros(0));
  AudioParts result;
  for (const MpegStream& stream : mpeg.streams) {
    result.parts.push_back({.bytes = file.part(stream.begin, stream.end - stream.begin), .is_mpeg = true});
    if (stream.is_cut) result.cut = "MP3";
  }
  if (is_much(mpeg.skipped_bytes, file)) {
    result.losses.push_back(fmt::format("{} bytes that are not MPEG audio", mpeg.skipped_bytes));
  }
  return result;
}

std::string codecs_of(const OggLink& link) {
  std::string names;
  for (const OggStream& stream : link.streams) {
    if (stream.codec != "Skeleton") names += (names.empty() ? "" : " and ") + stream.codec;
  }
  return names;
}

bool is_readable(const OggStream& stream) { return stream.is_audio && stream.codec != "Speex"; }

// libsndfile 1.2 does not read FLAC in Ogg. The bodies of its pages are a FLAC file, after a mark of nine bytes (Xiph's
// "Ogg FLAC mapping").
AudioFile native_flac(const AudioFile& file, const OggStream& stream) {
  constexpr int64_t mark = 9;
  std::vector<ByteRange> bodies = stream.bodies;
  if (bodies.empty() || bodies[0].size <= mark) return file.part(stream.pages);
  bodies[0].begin += mark;
  bodies[0].size -= mark;
  return file.part(bodies);
}

// libsndfile knows neither other streams between the pages nor links of other kinds.
void add_link(const AudioFile& file, const OggLink& link, AudioParts& result) {
  const auto stream = std::ranges::find_if(link.streams, is_readable);
  if (stream == link.streams.end()) {
    result.losses.push_back(fmt::format("{} bytes of {}", link.end - link.begin, codecs_of(link)));
    return;
  }
  if (std::ranges::count_if(link.streams, &OggStream::is_audio) > 1) {
    result.losses.emplace_back("all audio streams but the first of those that are interleaved");
  }
  if (stream->damaged_pages + stream->missing_pages > 0) {
    result.losses.push_back(
        fmt::format("{} damaged and {} missing Ogg pages", stream->damaged_pages, stream->missing_pages));
  }
  if (!stream->has_last_page) result.cut = "Ogg";
  const bool is_flac = stream->codec == "FLAC";
  result.parts.push_back({.bytes = is_flac ? native_flac(file, *stream) : file.part(stream->pages), .is_mpeg = false});
}

AudioParts ogg_parts(const AudioFile& file) {
  const OggFile ogg = read_ogg_pages(file);
  AudioParts result;
  for (const OggLink& link : ogg.links) add_link(file, link, result);
  if (result.parts.empty()) {
    // libsndfile gives the reason why it cannot read data that melgrad does not know.
    if (ogg.links.empty() || codecs_of(ogg.links[0]) == "unknown data") return {.parts = {{file, false}}};
    fail_unsupported(file, codecs_of(ogg.links[0]) + " in Ogg");
  }
  if (ogg.ends_in_a_page) result.cut = "Ogg";
  if (is_much(ogg.skipped_bytes, file)) {
    result.losses.push_back(fmt::format("{} bytes between Ogg pages", ogg.skipped_bytes));
  }
  return result;
}

// FLAC states no length in bytes, so the next stream is found by its beginning.
std::optional<int64_t> next_flac_stream(const AudioFile& file, int64_t from) {
  constexpr std::string_view mark("fLaC\0\0\0\x22", 8);  // and the header of STREAMINFO, 34 bytes
  constexpr size_t block = 1 << 20;
  for (; from < file.size(); from += block) {
    const size_t found = file.text_at(from, block + mark.size() - 1).find(mark);
    if (found != std::string::npos) return from + static_cast<int64_t>(found);
  }
  return std::nullopt;
}

// A WAV file with several chunks of samples: the header with each of them.
void add_chunks(const AudioFile& file, const ChunkedFile& chunks, AudioParts& result) {
  for (const ByteRange& chunk : chunks.audio) {
    const bool only = chunks.audio.size() == 1;
    const AudioFile part =
        only ? file.part(0, chunks.end) : file.part(std::vector{ByteRange{0, chunks.audio[0].begin}, chunk});
    result.parts.push_back({.bytes = part, .is_mpeg = false});
  }
}

// Files of other formats, which may have been joined: FLAC, and those that consist of chunks.
AudioParts joined_parts(const AudioFile& whole) {
  AudioParts result;
  AudioFile rest = whole;
  while (true) {
    const auto chunks = find_chunks(rest);
    const auto end = chunks ? chunks->end : rest.has(0, "fLaC") ? next_flac_stream(rest, 4) : std::nullopt;
    const bool is_last = !end || rest.skip_zeros(*end) >= rest.size() || !rest.has(*end, rest.text_at(0, 4));
    if (end && is_last && is_much(rest.size() - rest.skip_zeros(*end), whole)) {
      result.losses.push_back(fmt::format("{} bytes behind the end of the audio", rest.size() - *end));
    }
    if (chunks) {
      add_chunks(rest, *chunks, result);
    } else {
      result.parts.push_back({.bytes = is_last ? rest : rest.part(0, *end), .is_mpeg = false});
    }
    if (is_last) return result;
    rest = rest.part(*end, rest.size() - *end);
  }
}

}  // namespace

bool is_much(int64_t bytes, const AudioFile& file) {
  constexpr int64_t few = 1 << 10, many = 1 << 16;
  return bytes > many || (bytes > few && bytes > file.size() / 100);
}

std::string conversion_command(const AudioFile& file) {
  std::filesystem::path converted = file.path() == "-" ? std::filesystem::path("song") : file.path();
  converted.replace_extension(converted.extension() == ".wav" ? ".converted.wav" : ".wav");
  return fmt::format("ffmpeg -i {} {}", shell_quoted(file.path().string()), shell_quoted(converted.string()));
}

void fail_unsupported(const AudioFile& file, std::string_view format) {
  fail("{} is {}, which is not supported; convert it, e.g. {}", file.name(), format, conversion_command(file));
}

AudioParts find_audio_parts(const AudioFile& file) {
  if (const auto foreign = foreign_format(file)) {
    if (foreign->remedy.empty()) fail_unsupported(file, foreign->name);
    fail("{} is {}, not audio; {}", file.name(), foreign->name, foreign->remedy);
  }
  if (file.has(0, "OggS")) return ogg_parts(file);
  if (find_mpeg_frames(file, 0, 1)) return mpeg_parts(file, 0);
  return joined_parts(file);
}

std::optional<AudioParts> find_hidden_mpeg_parts(const AudioFile& file) {
  constexpr int64_t most_junk = 1 << 16;
  const auto first = find_mpeg_frames(file, 0, most_junk);
  return first ? std::optional(mpeg_parts(file, *first)) : std::nullopt;
}

}  // namespace melgrad
