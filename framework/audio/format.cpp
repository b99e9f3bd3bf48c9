#include "framework/audio/format.h"

#include <algorithm>
#include <array>

#include "framework/audio/mpeg_frames.h"
#include "framework/io/file_text.h"
#include "framework/terminal/text.h"

namespace melgrad {
namespace {

constexpr std::string_view readable_extensions[] = {
    ".wav",  ".wave", ".bwf", ".rf64", ".w64", ".aif",  ".aiff", ".aifc",  ".aff", ".au",  ".snd",
    ".caf",  ".flac", ".fla", ".ogg",  ".oga", ".ogx",  ".opus", ".mp3",   ".mp2", ".mp1", ".mpa",
    ".mpga", ".m2a",  ".bit", ".voc",  ".sph", ".nist", ".sf",   ".ircam", ".paf", ".fap", ".svx",
    ".8svx", ".16sv", ".iff", ".avr",  ".htk", ".xi",   ".sds",  ".wve",   ".pvf"};

constexpr std::string_view fetch_again = "download it again, or remove it", unpack = "unpack it, or remove it",
                           remove_it = "remove it", render = "render it to audio, or remove it";

struct Mark {
  int64_t offset;
  std::string_view bytes;
  ForeignFormat format;
};

using namespace std::string_view_literals;

// Formats of files: by Wikipedia's "List of file signatures" and the documents of the formats.
constexpr Mark marks[] = {
    {4, "ftypM4A", {"M4A (AAC or ALAC in MP4)", ""}},
    {4, "ftypM4B", {"M4B (AAC in MP4)", ""}},
    {4, "ftyp3g", {"3GP", ""}},
    {4, "ftypqt", {"QuickTime", ""}},
    {4, "ftyp", {"MP4 (AAC/M4A or video)", ""}},
    {4, "moov", {"QuickTime or MP4", ""}},
    {4, "mdat", {"QuickTime or MP4", ""}},
    {0, "ADIF", {"AAC (ADIF)", ""}},
    {0, "\x30\x26\xB2\x75", {"WMA (ASF)", ""}},
    {0, "\x1A\x45\xDF\xA3", {"WebM or Matroska", ""}},
    {0, "wvpk", {"WavPack", ""}},
    {0, "MAC ", {"Monkey's Audio (APE)", ""}},
    {0, "#!AMR", {"AMR", ""}},
    {0, "TTA1", {"True Audio (TTA)", ""}},
    {0, "TTA2", {"True Audio (TTA)", ""}},
    {0, "DSD ", {"DSF (DSD)", ""}},
    {0, "FRM8", {"DSDIFF (DSD)", ""}},
    {0, "\x7F\xFE\x80\x01", {"DTS", ""}},
    {0, "MP+", {"Musepack", ""}},
    {0, "MPCK", {"Musepack", ""}},
    {0, "OFR ", {"OptimFROG", ""}},
    {0, "LA0", {"Lossless Audio (LA)", ""}},
    {0, "ajkg", {"Shorten", ""}},
    {0, ".RMF", {"RealMedia", ""}},
    {0, ".ra\xFD", {"RealAudio", ""}},
    {0, "TWIN", {"TwinVQ", ""}},
    {0, "FLV\x01", {"Flash video", ""}},
    {8, "AVI ", {"AVI", ""}},
    {8, "QLCM", {"QCP", ""}},
    {8, "CDXA", {"a video CD stream", ""}},
    {8, "RMID", {"MIDI, notes without sound", render}},
    {8, "WEBP", {"a WebP picture", remove_it}},
    {0, "\0\0\x01\xBA"sv, {"an MPEG program stream", ""}},
    {0, "MThd", {"MIDI, notes without sound", render}},
    {0, "Extended Module: ", {"a tracker module (XM)", render}},
    {0, "IMPM", {"a tracker module (IT)", render}},
    {44, "SCRM", {"a tracker module (S3M)", render}},
    {1080, "M.K.", {"a tracker module (MOD)", render}},
    {0, "\x89PNG", {"a PNG picture", remove_it}},
    {0, "\xFF\xD8\xFF", {"a JPEG picture", remove_it}},
    {0, "GIF8", {"a GIF picture", remove_it}},
    {0, "II*\0"sv, {"a TIFF picture", remove_it}},
    {0, "MM\0*"sv, {"a TIFF picture", remove_it}},
    {0, "%PDF", {"a PDF document", remove_it}},
    {0, "PK\x03\x04", {"a ZIP archive", unpack}},
    {0, "\x1F\x8B\x08", {"a gzip archive", unpack}},
    {0, "BZh", {"a bzip2 archive", unpack}},
    {0,
     "\xFD"
     "7zXZ",
     {"an xz archive", unpack}},
    {0, "7z\xBC\xAF", {"a 7-Zip archive", unpack}},
    {0, "Rar!", {"a RAR archive", unpack}},
    {0, "\x28\xB5\x2F\xFD", {"a Zstandard archive", unpack}},
    {257, "ustar", {"a tar archive", unpack}},
    {0,
     "\x7F"
     "ELF",
     {"a program", remove_it}},
    {0, "SQLite format 3", {"a database", remove_it}},
};

// The length of the frame that begins with these bytes; 0 if none does.
using FrameLength = int64_t (*)(const std::array<unsigned char, 8>& header);

// ISO/IEC 13818-7, section 6.2.
int64_t adts_length(const std::array<unsigned char, 8>& h) {
  const bool synchronised = h[0] == 0xFF && (h[1] & 0xF6) == 0xF0, known_rate = (h[2] >> 2 & 15) < 13;
  const int64_t length = int64_t{h[3] & 3} << 11 | int64_t{h[4]} << 3 | int64_t{h[5]} >> 5;
  return synchronised && known_rate && length >= 7 ? length : 0;
}

// LOAS, ISO/IEC 14496-3, section 1.7.2.
int64_t loas_length(const std::array<unsigned char, 8>& h) {
  return h[0] == 0x56 && (h[1] & 0xE0) == 0xE0 ? 3 + (int64_t{h[1] & 0x1F} << 8 | h[2]) : 0;
}

// ATSC A/52, sections 5.4.1 (AC-3) and E.2.3.1 (E-AC-3).
int64_t ac3_length(const std::array<unsigned char, 8>& h) {
  constexpr std::array<int, 19> kilobits{32,  40,  48,  56,  64,  80,  96,  112, 128, 160,
                                         192, 224, 256, 320, 384, 448, 512, 576, 640};
  constexpr std::array<int, 3> rates{48000, 44100, 32000};
  if (h[0] != 0x0B || h[1] != 0x77) return 0;
  if (h[5] >> 3 > 10) return 2 * ((int64_t{h[2] & 7} << 8 | h[3]) + 1);
  const size_t rate = h[4] >> 6, size = h[4] & 63;
  if (rate > 2 || size / 2 >= kilobits.size()) return 0;
  const int64_t words = int64_t{96000} * kilobits[size / 2] / rates[rate];
  return 2 * (words + (rate == 1 ? static_cast<int64_t>(size % 2) : 0));
}

int64_t transport_stream_length(const std::array<unsigned char, 8>& h) { return h[0] == 0x47 ? 188 : 0; }

struct Framing {
  FrameLength length;
  int frames;  // that must follow each other
  ForeignFormat format;
};
constexpr Framing framings[] = {{adts_length, 3, {"AAC (ADTS)", ""}},
                                {loas_length, 3, {"AAC (LATM)", ""}},
                                {ac3_length, 3, {"AC-3", ""}},
                                {transport_stream_length, 6, {"an MPEG transport stream", ""}}};

// True if `framing.frames` frames follow each other from the beginning, or fewer that end where the file ends.
bool consists_of(const AudioFile& file, const Framing& framing) {
  int64_t position = 0;
  for (int i = 0; i < framing.frames && position < file.size(); ++i) {
    const int64_t length = framing.length(file.bytes_at<8>(position));
    if (length == 0) return false;
    position += length;
  }
  return position > 0;
}

}  // namespace

bool is_readable_extension(std::string_view extension) {
  return std::ranges::find(readable_extensions, extension) != std::end(readable_extensions);
}

bool is_known_audio(const AudioFile& file) {
  struct Container {
    std::string_view bytes;
    int64_t kind_offset;
    std::string_view kind;  // at kind_offset
  };
  constexpr Container containers[] = {{"RIFF", 8, "WAVE"},  {"RIFX", 8, "WAVE"}, {"RF64", 8, "WAVE"},
                                      {"riff", 24, "wave"}, {"FORM", 8, "AIF"},  {".snd", 0, ""},
                                      {"caff", 0, ""},      {"fLaC", 0, ""},     {"OggS", 0, ""}};
  const bool known = std::ranges::any_of(containers, [&](const Container& container) {
    return file.has(0, container.bytes) && file.has(container.kind_offset, container.kind);
  });
  return known || find_mpeg_frames(file, 0, 1).has_value();
}

std::optional<ForeignFormat> foreign_format(const AudioFile& file) {
  for (const Mark& mark : marks) {
    if (file.has(mark.offset, mark.bytes)) return mark.format;
  }
  for (const Framing& framing : framings) {
    if (consists_of(file, framing)) return framing.format;
  }
  return std::nullopt;
}

std::optional<ForeignFormat> text_format(const AudioFile& file) {
  constexpr size_t enough = 4096;
  std::string text = file.text_at(0, enough);
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  while (!text.empty() && (text.back() & 0x80) != 0) text.pop_back();  // a character that was cut
  const auto is_binary = [](unsigned char c) { return c < 32 && c != '\t' && c != '\n' && c != '\r' && c != '\f'; };
  if (text.empty() || std::ranges::any_of(text, is_binary) || !is_utf8(text)) return std::nullopt;
  const size_t begin = text.find_first_not_of(" \t\r\n");
  const std::string start = lower_case(begin == std::string::npos ? "" : text.substr(begin));
  const auto begins = [&](std::string_view mark) { return start.starts_with(mark); };
  if (begins("<!doctype html") || begins("<html") || begins("<head") || begins("<body")) {
    return ForeignFormat{"an HTML page", fetch_again};
  }
  if (begins("version https://git-lfs")) return ForeignFormat{"a pointer of Git LFS", "fetch it with git lfs pull"};
  if (begins("<?xml") || begins("<")) return ForeignFormat{"an XML document", fetch_again};
  if (begins("{") || begins("[{")) return ForeignFormat{"a JSON document", fetch_again};
  if (begins("#extm3u") || begins("[playlist]")) return ForeignFormat{"a playlist", "give its files, or remove it"};
  return ForeignFormat{"a text file", fetch_again};
}

}  // namespace melgrad
