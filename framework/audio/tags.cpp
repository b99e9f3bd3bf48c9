#include "framework/audio/tags.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "kernels/device/error.h"

namespace melgrad {
namespace {

// Four groups of seven bits (id3.org, id3v2.4.0-structure, section 6.2); -1 if a byte has its eighth bit set.
int64_t syncsafe(const unsigned char* bytes) {
  int64_t value = 0;
  for (int i = 0; i < 4; ++i) {
    if ((bytes[i] & 0x80) != 0) return -1;
    value = value << 7 | bytes[i];
  }
  return value;
}

int64_t little_endian(const unsigned char* bytes) {
  return int64_t{bytes[0]} | int64_t{bytes[1]} << 8 | int64_t{bytes[2]} << 16 | int64_t{bytes[3]} << 24;
}

constexpr int64_t id3_header = 10, ape_header = 32;

int64_t id3v2_size(const AudioFile& file, int64_t position) {
  const auto header = file.bytes_at<id3_header>(position);
  const int64_t body = syncsafe(&header[6]);
  if (!file.has(position, "ID3") || header[3] == 0xFF || header[4] == 0xFF || body < 0) return 0;
  constexpr unsigned char has_footer = 0x10;
  return id3_header + body + ((header[5] & has_footer) != 0 ? id3_header : 0);
}

// APE tags version 1 and 2. The size that they state includes the footer but not the header.
constexpr unsigned char ape_has_header = 0x80;  // bit 31 of the flags, which are little-endian

int64_t leading_ape_size(const AudioFile& file, int64_t position) {
  const auto header = file.bytes_at<ape_header>(position);
  constexpr unsigned char is_header = 0x20;  // bit 29
  if (!file.has(position, "APETAGEX") || (header[23] & is_header) == 0) return 0;
  return ape_header + little_endian(&header[12]);
}

int64_t trailing_ape_size(const AudioFile& file, int64_t end) {
  const auto footer = file.bytes_at<ape_header>(end - ape_header);
  if (!file.has(end - ape_header, "APETAGEX")) return 0;
  return little_endian(&footer[12]) + ((footer[23] & ape_has_header) != 0 ? ape_header : 0);
}

int64_t trailing_id3v2_size(const AudioFile& file, int64_t end) {
  const auto footer = file.bytes_at<id3_header>(end - id3_header);
  const int64_t body = syncsafe(&footer[6]);
  return file.has(end - id3_header, "3DI") && body >= 0 ? body + 2 * id3_header : 0;
}

int64_t id3v1_size(const AudioFile& file, int64_t end) {
  constexpr int64_t size = 128, extension = 227;
  if (!file.has(end - size, "TAG")) return 0;
  return file.has(end - size - extension, "TAG+") ? size + extension : size;
}

// id3.org, Lyrics3 and Lyrics3 v2. Version 2 ends with its size in six digits.
int64_t lyrics3_size(const AudioFile& file, int64_t end) {
  constexpr int64_t mark = 9, digits = 6, longest_version_1 = 5100;
  if (file.has(end - mark, "LYRICS200")) {
    const std::string size = file.text_at(end - mark - digits, digits);
    const bool valid = std::ranges::all_of(size, [](unsigned char c) { return std::isdigit(c) != 0; });
    return valid ? std::atoll(size.c_str()) + digits + mark : 0;
  }
  if (!file.has(end - mark, "LYRICSEND")) return 0;
  const int64_t from = std::max<int64_t>(0, end - mark - longest_version_1 - 11);
  const size_t begin = file.text_at(from, static_cast<size_t>(end - mark - from)).rfind("LYRICSBEGIN");
  return begin == std::string::npos ? 0 : end - from - static_cast<int64_t>(begin);
}

int64_t trailing_tag_size(const AudioFile& file, int64_t end) {
  for (const auto size_of : {id3v1_size, trailing_ape_size, trailing_id3v2_size, lyrics3_size}) {
    if (const int64_t size = size_of(file, end); size > 0) return size;
  }
  return 0;
}

}  // namespace

int64_t leading_tag_size(const AudioFile& file, int64_t position) {
  return std::max(id3v2_size(file, position), leading_ape_size(file, position));
}

AudioFile without_tags(const AudioFile& file) {
  int64_t begin = 0, end = file.size();
  while (const int64_t size = leading_tag_size(file, begin)) begin = file.skip_zeros(begin + size);
  for (int64_t size = 0; (size = trailing_tag_size(file, end)) > 0 && size <= end - begin;) end -= size;
  if (begin >= end) {
    fail("{} holds only tags ({} bytes) and no audio; fetch it again, or remove it", file.name(), file.size());
  }
  return begin == 0 && end == file.size() ? file : file.part(begin, end - begin);
}

}  // namespace melgrad
