// The frames of MPEG audio (MP1, MP2, MP3): ISO/IEC 11172-3 and 13818-3, section 2.4.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "framework/audio/audio_file.h"

namespace melgrad {

struct MpegFrame {
  int64_t position, size;  // bytes
  int version = 1;         // 1, 2, or 3 for the unofficial MPEG 2.5
  int layer = 3;
  int sample_rate = 0;  // Hz
  int channels = 0;
  // Not audio, but the first frame of a stream with facts about it (Xing, LAME, VBRI).
  bool is_info = false;
  int64_t promised_bytes = 0;  // of the stream, as an info frame states; 0: not stated

  int64_t end() const { return position + size; }
  bool same_format(const MpegFrame& other) const {
    return version == other.version && layer == other.layer && sample_rate == other.sample_rate &&
           channels == other.channels;
  }
};

// The position from `from`, but before `to`, of the first frame that is followed by two frames of the same version,
// layer and sample rate, or by the end of the file. A single frame would be found by chance in almost any file.
std::optional<int64_t> find_mpeg_frames(const AudioFile&, int64_t from, int64_t to);

// Consecutive frames of one format, with at most one info frame, which is the first.
struct MpegStream {
  int64_t begin, end;  // bytes
  bool is_cut;         // its last frame is incomplete, or it has fewer bytes than its info frame states
};

struct MpegStreams {
  std::vector<MpegStream> streams;
  int64_t skipped_bytes = 0;  // of the file that are neither frames, tags nor zeros
};

// Splits a file that begins with MPEG frames at `first` into its streams. Several MP3 files that were joined give
// several.
MpegStreams split_mpeg_streams(const AudioFile&, int64_t first);

}  // namespace melgrad
