#include "framework/audio/mpeg_frames.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "framework/audio/tags.h"

namespace melgrad {
namespace {

constexpr size_t header_bytes = 4, info_bytes = 64;

size_t byte_at(std::string_view bytes, size_t i) { return static_cast<unsigned char>(bytes[i]); }

int64_t big_endian(std::string_view bytes, size_t at) {
  int64_t value = 0;
  for (size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<int64_t>(byte_at(bytes, i));
  return value;
}

// In kbit/s; [MPEG 1 layer I, II, III, MPEG 2 layer I, II and III]. 0: free format, or not allowed.
constexpr std::array<std::array<int, 16>, 5> bit_rates{{
    {0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0},
    {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0},
    {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0},
    {0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 0},
    {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0},
}};
constexpr std::array<int, 4> sample_rates{44100, 48000, 32000, 0};

int64_t frame_bytes(int version, int layer, int kilobits, int rate, int64_t padding) {
  const int64_t bits = int64_t{kilobits} * 1000;
  if (layer == 1) return (12 * bits / rate + padding) * 4;
  return (layer == 3 && version > 1 ? 72 : 144) * bits / rate + padding;
}

std::optional<MpegFrame> parse_header(std::string_view bytes) {
  if (bytes.size() < header_bytes || byte_at(bytes, 0) != 0xFF || (byte_at(bytes, 1) & 0xE0) != 0xE0)
    return std::nullopt;
  constexpr std::array<int, 4> versions{3, 0, 2, 1};
  MpegFrame frame{.position = 0, .size = 0};
  frame.version = versions[byte_at(bytes, 1) >> 3 & 3];
  frame.layer = 4 - static_cast<int>(byte_at(bytes, 1) >> 1 & 3);
  if (frame.version == 0 || frame.layer == 4) return std::nullopt;
  const size_t table = static_cast<size_t>(frame.version == 1 ? frame.layer - 1 : frame.layer == 1 ? 3 : 4);
  const int kilobits = bit_rates[table][byte_at(bytes, 2) >> 4];
  const int rate = sample_rates[byte_at(bytes, 2) >> 2 & 3];
  if (kilobits == 0 || rate == 0) return std::nullopt;
  frame.sample_rate = frame.version == 1 ? rate : frame.version == 2 ? rate / 2 : rate / 4;
  frame.channels = byte_at(bytes, 3) >> 6 == 3 ? 1 : 2;
  frame.size = frame_bytes(frame.version, frame.layer, kilobits, frame.sample_rate, byte_at(bytes, 2) >> 1 & 1);
  return frame;
}

// The tag "Xing" or "Info" follows the side information of layer III; "VBRI" begins 32 bytes after the header.
void read_info(std::string_view bytes, MpegFrame& frame) {
  if (frame.layer != 3) return;
  const bool mono = frame.channels == 1;
  const size_t side_information = frame.version == 1 ? (mono ? 17 : 32) : (mono ? 9 : 17);
  const size_t at = header_bytes + side_information;
  if (bytes.size() < at + 16) return;
  const std::string_view tag = bytes.substr(at, 4);
  constexpr size_t has_frames = 1, has_bytes = 2;
  if (tag == "Xing" || tag == "Info") {
    frame.is_info = true;
    const size_t flags = byte_at(bytes, at + 7);
    if ((flags & has_bytes) != 0) frame.promised_bytes = big_endian(bytes, at + ((flags & has_frames) != 0 ? 12 : 8));
  } else if (constexpr size_t vbri = header_bytes + 32; bytes.size() >= vbri + 14 && bytes.substr(vbri, 4) == "VBRI") {
    frame.is_info = true;
    frame.promised_bytes = big_endian(bytes, vbri + 10);
  }
}

// Reads frames in sequence through a buffer, because a frame has only a few hundred bytes.
class FrameReader {
 public:
  explicit FrameReader(const AudioFile& file) : file_(file) {}

  // The frame at `position`, which may extend beyond the end of the file. Empty if there is none, or if it does not
  // state its bit rate ("free format").
  std::optional<MpegFrame> at(int64_t position) {
    const std::string_view bytes = view(position, info_bytes);
    auto frame = parse_header(bytes);
    if (!frame) return std::nullopt;
    frame->position = position;
    read_info(bytes, *frame);
    return frame;
  }

  // True if `frame` is followed by `count` frames of its kind, or by fewer, the last of which may be incomplete, and
  // the end of the file. The number of channels may change: encoders switch between stereo and mono.
  bool is_followed(MpegFrame frame, int count) {
    int found = 0;
    for (; found < count && frame.end() < file_.size(); ++found) {
      const auto next = at(frame.end());
      if (!next || next->version != frame.version || next->layer != frame.layer ||
          next->sample_rate != frame.sample_rate) {
        return false;
      }
      frame = *next;
    }
    return found > 0 || frame.end() == file_.size();
  }

  std::optional<int64_t> find(int64_t from, int64_t to) {
    for (int64_t position = from; position < std::min(to, file_.size()); ++position) {
      if (const auto frame = at(position); frame && is_followed(*frame, 2)) return position;
    }
    return std::nullopt;
  }

  std::string_view view(int64_t position, size_t count) {
    const auto end = begin_ + static_cast<int64_t>(buffer_.size());
    if (position < begin_ || position + static_cast<int64_t>(count) > end) {
      begin_ = position;
      buffer_ = file_.text_at(position, 1 << 16);
    }
    return std::string_view(buffer_).substr(static_cast<size_t>(position - begin_), count);
  }

 private:
  const AudioFile& file_;
  int64_t begin_ = 0;
  std::string buffer_;
};

// libmpg123 gives up behind more than 1024 bytes that are no frames.
constexpr int64_t longest_gap = 512;

// The size of an ID3 or APE tag or a run of zeros, which often lie between two streams; 0 if there is none.
int64_t tag_size_at(const AudioFile& file, FrameReader& reader, int64_t position) {
  constexpr int64_t id3v1 = 128;
  const std::string_view bytes = reader.view(position, 8);
  if (bytes.starts_with("TAG")) return id3v1;
  if (bytes.starts_with("ID3") || bytes.starts_with("APETAGEX")) return leading_tag_size(file, position);
  return bytes.starts_with('\0') ? file.skip_zeros(position) - position : 0;
}

}  // namespace

std::optional<int64_t> find_mpeg_frames(const AudioFile& file, int64_t from, int64_t to) {
  return FrameReader(file).find(from, to);
}

MpegStreams split_mpeg_streams(const AudioFile& file, int64_t first) {
  MpegStreams result;
  FrameReader reader(file);
  MpegFrame previous{.position = 0, .size = 0};
  bool in_stream = false;
  int64_t promised_end = 0, position = first;
  const auto finish_stream = [&] {
    if (!in_stream) return;
    MpegStream& stream = result.streams.back();
    stream.end = std::min(previous.end(), file.size());
    // Encoders count slightly differently.
    const bool lacks_promised =
        static_cast<double>(stream.end - stream.begin) < 0.99 * static_cast<double>(promised_end - stream.begin);
    stream.is_cut = previous.end() > file.size() || (promised_end > 0 && lacks_promised);
    in_stream = false;
  };
  while (position < file.size()) {
    const auto frame = reader.at(position);
    // A change of format is believed only if more frames follow.
    const bool begins = frame && (!in_stream || frame->is_info || !frame->same_format(previous));
    if (frame && (!begins || frame->is_info || reader.is_followed(*frame, 2))) {
      if (begins) {
        finish_stream();
        result.streams.push_back({.begin = position, .end = position, .is_cut = false});
        promised_end = frame->promised_bytes > 0 ? position + frame->promised_bytes : 0;
      }
      previous = *frame;
      in_stream = true;
      position = frame->end();
    } else {
      const int64_t tag = tag_size_at(file, reader, position);
      const int64_t next = tag > 0 ? position + tag : reader.find(position + 1, file.size()).value_or(file.size());
      if (tag == 0) result.skipped_bytes += next - position;
      if (next - position > longest_gap) finish_stream();
      position = next;
    }
  }
  finish_stream();
  return result;
}

}  // namespace melgrad
