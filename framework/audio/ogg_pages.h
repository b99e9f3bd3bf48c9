// The structure of an Ogg file (RFC 3533): pages of logical streams, several of which may be interleaved, and links
// that follow each other (a "chained" file).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/audio/audio_file.h"

namespace melgrad {

struct OggStream {
  uint32_t serial = 0;
  std::string codec;                // "Vorbis", "Opus", "FLAC", "Skeleton", "Theora", ...; "unknown data"
  bool is_audio = false;            // Vorbis, Opus, FLAC or Speex
  std::vector<ByteRange> pages{};   // adjacent pages are one range
  std::vector<ByteRange> bodies{};  // what the pages hold, without their headers
  bool has_last_page = false;       // the page that is marked as the end of the stream
  uint32_t last_sequence = 0;       // number of the last page
  int64_t missing_pages = 0;        // by these numbers
  int64_t damaged_pages = 0;        // with a wrong checksum; decoders skip them
};

// Streams that begin together. A file that is not chained is one link.
struct OggLink {
  int64_t begin = 0, end = 0;
  std::vector<OggStream> streams;
};

struct OggFile {
  std::vector<OggLink> links;
  int64_t skipped_bytes = 0;    // neither pages nor zeros
  bool ends_in_a_page = false;  // the last page is incomplete
};

// Reads all pages and checks their checksums. The file begins with a page.
OggFile read_ogg_pages(const AudioFile&);

}  // namespace melgrad
