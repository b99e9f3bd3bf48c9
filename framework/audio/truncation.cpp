#include "framework/audio/truncation.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "framework/audio/audio_file.h"
#include "kernels/device/error.h"

namespace melgrad {
namespace {

std::string read_text(const AudioFile& file, int64_t offset, size_t size) {
  std::string bytes(size, '\0');
  bytes.resize(file.read_at(offset, {reinterpret_cast<unsigned char*>(bytes.data()), bytes.size()}));
  return bytes;
}

size_t byte_at(const std::string& bytes, size_t i) { return static_cast<unsigned char>(bytes[i]); }

// RFC 3533, section 6.
bool ends_with_last_ogg_page(const AudioFile& file) {
  constexpr int64_t longest_page = 27 + 255 + 255 * 255;
  constexpr size_t flags = 5, segment_count = 26, header = 27, end_of_stream = 4;
  const std::string tail = read_text(file, std::max<int64_t>(0, file.size() - longest_page), longest_page);
  const size_t page = tail.rfind("OggS");
  if (page == std::string::npos || page + header > tail.size()) return false;
  const size_t segments = byte_at(tail, page + segment_count);
  if (page + header + segments > tail.size()) return false;
  size_t end = page + header + segments;
  for (size_t i = 0; i < segments; ++i) end += byte_at(tail, page + header + i);
  return end <= tail.size() && (byte_at(tail, page + flags) & end_of_stream) != 0;
}

struct MpegFrame {
  int64_t bytes = 0;  // 0: no frame of layer III
  size_t side_information = 0;
};

// ISO/IEC 11172-3 and 13818-3, section 2.4.2.3.
MpegFrame parse_mpeg_frame(const std::string& header) {
  if (header.size() < 4 || byte_at(header, 0) != 0xFF || (byte_at(header, 1) & 0xE6) != 0xE2) return {};
  constexpr std::array<int, 16> rates_1{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0};
  constexpr std::array<int, 16> rates_2{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0};
  constexpr std::array<int, 4> sample_rates{44100, 48000, 32000, 0};
  const size_t version = byte_at(header, 1) >> 3 & 3;  // 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
  const bool mpeg_1 = version == 3, mono = byte_at(header, 3) >> 6 == 3;
  const int kilobits = (mpeg_1 ? rates_1 : rates_2)[byte_at(header, 2) >> 4];
  const int rate = sample_rates[byte_at(header, 2) >> 2 & 3] / (mpeg_1 ? 1 : version == 2 ? 2 : 4);
  if (version == 1 || kilobits == 0 || rate == 0) return {};
  const int64_t padding = byte_at(header, 2) >> 1 & 1;
  return {.bytes = int64_t{mpeg_1 ? 144 : 72} * kilobits * 1000 / rate + padding,
          .side_information = mpeg_1 ? (mono ? 17u : 32u) : (mono ? 9u : 17u)};
}

// The number of bytes of audio, Info frame included, that the Info frame states; 0 if it states none.
int64_t promised_mpeg_bytes(const std::string& frame, size_t side_information) {
  const size_t tag = 4 + side_information;
  if (frame.size() < tag + 16) return 0;
  const std::string_view name = std::string_view(frame).substr(tag, 4);
  constexpr size_t has_frames = 1, has_bytes = 2;
  const size_t flags = byte_at(frame, tag + 7);
  if ((name != "Xing" && name != "Info") || (flags & has_bytes) == 0) return 0;
  const size_t at = tag + ((flags & has_frames) != 0 ? 12 : 8);
  return static_cast<int64_t>(byte_at(frame, at) << 24 | byte_at(frame, at + 1) << 16 | byte_at(frame, at + 2) << 8 |
                              byte_at(frame, at + 3));
}

bool ends_with_whole_mpeg_frame(const AudioFile& file, int64_t first) {
  const std::string start = read_text(file, first, 64);
  const MpegFrame first_frame = parse_mpeg_frame(start);
  const int64_t promised = promised_mpeg_bytes(start, first_frame.side_information);
  if (static_cast<double>(file.size() - first) < 0.99 * static_cast<double>(promised)) return false;
  for (int64_t at = first; at < file.size();) {
    const int64_t bytes = parse_mpeg_frame(read_text(file, at, 4)).bytes;
    if (bytes == 0) break;  // a tag, or unknown data
    at += bytes;
    if (at > file.size()) return false;
  }
  return true;
}

}  // namespace

std::string truncation_warning(const std::filesystem::path& audio) {
  const AudioFile file(audio);
  const bool ogg = file.has(0, "OggS");
  const auto mpeg = first_mpeg_frame(file);
  const bool whole = ogg ? ends_with_last_ogg_page(file) : !mpeg || ends_with_whole_mpeg_frame(file, *mpeg);
  if (whole) return "";
  return fmt::format(
      "{} is cut off: its {} data ends too early; the part before the cut is used, fetch it again for the rest",
      audio.string(), ogg ? "Ogg" : "MP3");
}

}  // namespace melgrad
