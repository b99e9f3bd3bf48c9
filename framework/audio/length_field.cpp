#include "framework/audio/length_field.h"

#include <algorithm>
#include <limits>
#include <span>
#include <string_view>

#include "framework/audio/audio_file.h"

namespace melgrad {
namespace {

uint64_t number(std::span<const unsigned char> bytes, bool big_endian) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) value = value << 8 | bytes[big_endian ? i : bytes.size() - 1 - i];
  return value;
}

std::string number_bytes(uint64_t value, size_t width, bool big_endian) {
  std::string bytes(width, '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(value);
    value >>= 8;
  }
  if (big_endian) std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

struct FieldPlace {
  int64_t position;
  size_t width;  // bytes: 4 or 8
  bool big_endian;
  int64_t first_sample;  // its position
  uint64_t overhead;     // bytes that the field counts besides the samples
};

LengthField read_length(const AudioFile& file, const FieldPlace& place) {
  const auto field = file.bytes_at<8>(place.position);
  const uint64_t value = number(std::span(field).first(place.width), place.big_endian);
  const uint64_t claimed = value - std::min(value, place.overhead);
  const int64_t available = file.size() - place.first_sample;
  const auto there = static_cast<uint64_t>(std::max<int64_t>(0, available));
  constexpr uint64_t greatest = std::numeric_limits<int64_t>::max();
  const uint64_t largest = place.width == 4 ? std::numeric_limits<uint32_t>::max() : greatest;
  const bool unknown = value >= largest || (place.width == 4 && is_nearly_2_gib(value) && claimed > there) ||
                       (claimed == 0 && available > 0);
  const uint64_t correct = there + place.overhead;
  return {.position = place.position,
          .claimed = claimed,
          .available = available,
          .placeholder = unknown,
          .correct = number_bytes(std::min(correct, largest), place.width, place.big_endian)};
}

// A chunk consists of a name, a length and that many bytes, padded to a multiple of `alignment`.
struct ChunkLayout {
  std::string_view magic;  // the file's first bytes
  int64_t first;           // position of the first chunk
  size_t name, length;     // bytes of each; the first four bytes identify a name
  bool big_endian;
  uint64_t alignment;
  uint64_t counted;        // bytes of the name and length that the length includes
  std::string_view audio;  // name of the chunk with the samples
  uint64_t preamble;       // bytes of that chunk before the first sample

  int64_t header() const { return static_cast<int64_t>(name + length); }
};

constexpr ChunkLayout layouts[] = {
    {"RIFF", 12, 4, 4, false, 2, 0, "data", 0},   {"RIFX", 12, 4, 4, true, 2, 0, "data", 0},
    {"RF64", 12, 4, 4, false, 2, 0, "data", 0},   {"FORM", 12, 4, 4, true, 2, 0, "SSND", 8},  // AIFF, AIFF-C
    {"riff", 40, 16, 8, false, 8, 24, "data", 0},                                             // W64
    {"caff", 8, 4, 8, true, 1, 0, "data", 4}};

constexpr int most_chunks = 10000;  // before the samples; a file of zeros has a chunk every eight bytes

uint64_t chunk_length(const AudioFile& file, const ChunkLayout& layout, int64_t chunk) {
  const auto field = file.bytes_at<8>(chunk + static_cast<int64_t>(layout.name));
  return number(std::span(field).first(layout.length), layout.big_endian);
}

// The position of the next chunk; empty if this chunk extends beyond the end of the file.
std::optional<int64_t> chunk_end(const AudioFile& file, const ChunkLayout& layout, int64_t chunk) {
  const int64_t begin = chunk + layout.header();
  const uint64_t length = chunk_length(file, layout, chunk);
  if (begin > file.size() || length < layout.counted) return std::nullopt;
  const uint64_t body = length - layout.counted;
  if (body > static_cast<uint64_t>(file.size() - begin)) return std::nullopt;
  return begin + static_cast<int64_t>((body + layout.alignment - 1) / layout.alignment * layout.alignment);
}

bool is_chunk(const AudioFile& file, const ChunkLayout& layout, int64_t position) {
  const auto name = file.bytes_at<4>(position);
  const bool printable = std::all_of(name.begin(), name.end(), [](unsigned char c) { return c >= 32 && c < 127; });
  return printable && chunk_end(file, layout, position);
}

// RF64 stores a length of more than 32 bits in its first chunk, ds64, after the length of the file.
bool has_length_in_ds64(const AudioFile& file, const ChunkLayout& layout, int64_t audio_chunk) {
  return layout.magic == "RF64" && file.has(12, "ds64") && chunk_length(file, layout, audio_chunk) == 0xFFFFFFFF;
}

LengthField read_length_of_chunk(const AudioFile& file, const ChunkLayout& layout, int64_t chunk) {
  FieldPlace place{.position = chunk + static_cast<int64_t>(layout.name),
                   .width = layout.length,
                   .big_endian = layout.big_endian,
                   .first_sample = chunk + layout.header() + static_cast<int64_t>(layout.preamble),
                   .overhead = layout.counted + layout.preamble};
  if (has_length_in_ds64(file, layout, chunk)) {
    place.position = 28;
    place.width = 8;
  }
  LengthField field = read_length(file, place);
  if (field.claimed == 0 && is_chunk(file, layout, place.first_sample)) field.placeholder = false;
  return field;
}

// The layout of the file and the position of its first chunk with samples. No position if there is none.
struct AudioChunk {
  const ChunkLayout* layout = nullptr;  // null: the file has no chunks
  std::optional<int64_t> position;
};

AudioChunk find_audio_chunk(const AudioFile& file) {
  const auto layout =
      std::find_if(std::begin(layouts), std::end(layouts), [&](const auto& l) { return file.has(0, l.magic); });
  if (layout == std::end(layouts)) return {};
  std::optional<int64_t> chunk = layout->first;
  for (int i = 0; i < most_chunks && chunk && *chunk + layout->header() <= file.size(); ++i) {
    if (file.has(*chunk, layout->audio)) return {layout, chunk};
    chunk = chunk_end(file, *layout, *chunk);
  }
  return {layout, std::nullopt};
}

}  // namespace

std::optional<LengthField> find_length_field(const AudioFile& file) {
  if (const bool big_endian = file.has(0, ".snd"); big_endian || file.has(0, "dns.")) {
    const auto first_sample = static_cast<int64_t>(number(file.bytes_at<4>(4), big_endian));
    return read_length(file, {8, 4, big_endian, first_sample, 0});
  }
  const AudioChunk audio = find_audio_chunk(file);
  if (!audio.position) return std::nullopt;
  return read_length_of_chunk(file, *audio.layout, *audio.position);
}

std::optional<ChunkedFile> find_chunks(const AudioFile& file) {
  const AudioChunk audio = find_audio_chunk(file);
  if (!audio.position || read_length_of_chunk(file, *audio.layout, *audio.position).placeholder) return std::nullopt;
  ChunkedFile result{.audio = {}, .end = *audio.position};
  for (int i = 0; i < most_chunks && result.end + audio.layout->header() <= file.size(); ++i) {
    const bool next_file = file.has(result.end, audio.layout->magic);
    const auto end = chunk_end(file, *audio.layout, result.end);
    if (next_file || !end || (i > 0 && !is_chunk(file, *audio.layout, result.end))) break;
    const int64_t inside = std::min(*end, file.size());
    if (file.has(result.end, audio.layout->audio)) result.audio.push_back({result.end, inside - result.end});
    result.end = inside;
  }
  return result.audio.empty() ? std::nullopt : std::optional(result);
}

}  // namespace melgrad
