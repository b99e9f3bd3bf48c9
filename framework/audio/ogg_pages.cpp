#include "framework/audio/ogg_pages.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace melgrad {
namespace {

constexpr size_t page_header_bytes = 27;
constexpr size_t most_streams = 64;                     // of a link; damaged or hostile files have one for every page
constexpr unsigned char first_page = 2, last_page = 4;  // flags

struct Page {
  int64_t position = 0, header = 0, size = 0;
  unsigned char flags = 0;
  uint32_t serial = 0, sequence = 0;
  std::string body_start{};  // the first bytes of the first packet

  int64_t end() const { return position + size; }
};

uint32_t little_endian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 4; i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  return value;
}

// The page at `position`, which may extend beyond the end of the file.
std::optional<Page> page_at(const AudioFile& file, int64_t position) {
  constexpr size_t most_segments = 255, longest_mark = 16;
  const std::string bytes = file.text_at(position, page_header_bytes + most_segments + longest_mark);
  if (bytes.size() < page_header_bytes || !bytes.starts_with(std::string_view("OggS\0", 5))) return std::nullopt;
  const auto segments = static_cast<unsigned char>(bytes[26]);
  if (bytes.size() < page_header_bytes + segments) return std::nullopt;
  Page page{.position = position,
            .flags = static_cast<unsigned char>(bytes[5]),
            .serial = little_endian(std::string_view(bytes).substr(14)),
            .sequence = little_endian(std::string_view(bytes).substr(18))};
  page.header = page.size = page_header_bytes + segments;
  for (size_t i = 0; i < segments; ++i) page.size += static_cast<unsigned char>(bytes[page_header_bytes + i]);
  page.body_start = bytes.substr(page_header_bytes + segments, longest_mark);
  return page;
}

constexpr std::array<uint32_t, 256> make_crc_table() {
  constexpr uint32_t polynomial = 0x04C11DB7;
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i << 24;
    for (int bit = 0; bit < 8; ++bit) value = value << 1 ^ ((value & 0x80000000) != 0 ? polynomial : 0);
    table[i] = value;
  }
  return table;
}
constexpr std::array<uint32_t, 256> crc_table = make_crc_table();

// The checksum of a page is computed with zeros in the place of the checksum.
bool has_right_checksum(const AudioFile& file, const Page& page) {
  constexpr size_t place = 22;
  std::string bytes = file.text_at(page.position, static_cast<size_t>(page.size));
  const uint32_t stated = little_endian(std::string_view(bytes).substr(place));
  std::fill_n(bytes.begin() + place, 4, '\0');
  uint32_t crc = 0;
  for (const char byte : bytes) crc = crc << 8 ^ crc_table[crc >> 24 ^ static_cast<unsigned char>(byte)];
  return crc == stated;
}

struct Codec {
  std::string_view mark, name;
  bool is_audio;
};
constexpr Codec codecs[] = {{"\x01vorbis", "Vorbis", true},
                            {"OpusHead", "Opus", true},
                            {"\x7F"
                             "FLAC",
                             "FLAC", true},
                            {"Speex   ", "Speex", true},
                            {"fishead", "Skeleton", false},
                            {"\x80theora", "Theora", false},
                            {"\x01video", "video", false},
                            {"\x80kate", "Kate", false},
                            {"BBCD", "Dirac", false},
                            {"CMML", "CMML", false}};

OggStream begin_stream(const Page& page) {
  OggStream stream{.serial = page.serial, .codec = "unknown data"};
  const auto codec =
      std::ranges::find_if(codecs, [&](const Codec& known) { return page.body_start.starts_with(known.mark); });
  if (codec != std::end(codecs)) {
    stream.codec = codec->name;
    stream.is_audio = codec->is_audio;
  }
  return stream;
}

class PageReader {
 public:
  explicit PageReader(const AudioFile& file) : file_(file) {}

  OggFile read() {
    for (int64_t position = 0; position < file_.size();) {
      const auto page = page_at(file_, position);
      if (!page) {
        position = skip(position);
        continue;
      }
      add(*page);
      position = page->end();
      result_.ends_in_a_page = position > file_.size();
    }
    return std::move(result_);
  }

 private:
  // Returns the position of the next page.
  int64_t skip(int64_t position) {
    constexpr size_t block = 1 << 16;
    const int64_t begin = file_.skip_zeros(position);
    for (int64_t from = begin; from < file_.size(); from += block) {
      const std::string bytes = file_.text_at(from, block + 4);
      const size_t found = bytes.find("OggS", from == begin && begin == position ? 1 : 0);
      if (found == std::string::npos) continue;
      result_.skipped_bytes += from + static_cast<int64_t>(found) - begin;
      return from + static_cast<int64_t>(found);
    }
    result_.skipped_bytes += file_.size() - begin;
    return file_.size();
  }

  // The first pages of all streams of a link come before all their other pages.
  void add(const Page& page) {
    const bool begins = (page.flags & first_page) != 0;
    if (result_.links.empty() || (begins && !beginning_)) result_.links.push_back({.begin = page.position});
    beginning_ = begins;
    OggLink& link = result_.links.back();
    link.end = std::min(page.end(), file_.size());
    auto stream = std::ranges::find(link.streams, page.serial, &OggStream::serial);
    if (stream == link.streams.end() && link.streams.size() == most_streams) {
      result_.skipped_bytes += link.end - page.position;
      return;
    }
    if (stream == link.streams.end()) {
      link.streams.push_back(begin_stream(page));
      stream = std::prev(link.streams.end());
    } else if (page.sequence > stream->last_sequence + 1) {
      stream->missing_pages += page.sequence - stream->last_sequence - 1;
    }
    stream->last_sequence = page.sequence;
    if (page.end() <= file_.size() && !has_right_checksum(file_, page)) ++stream->damaged_pages;
    stream->has_last_page = stream->has_last_page || (page.flags & last_page) != 0;
    append(stream->pages, {page.position, link.end - page.position});
    const int64_t body = page.position + page.header;
    if (body < link.end) stream->bodies.push_back({body, link.end - body});
  }

  static void append(std::vector<ByteRange>& ranges, ByteRange range) {
    if (!ranges.empty() && ranges.back().begin + ranges.back().size == range.begin) {
      ranges.back().size += range.size;
    } else {
      ranges.push_back(range);
    }
  }

  const AudioFile& file_;
  OggFile result_;
  bool beginning_ = false;
};

}  // namespace

OggFile read_ogg_pages(const AudioFile& file) { return PageReader(file).read(); }

}  // namespace melgrad
