#include "framework/audio/audio_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "kernels/error.h"

namespace melgrad {
namespace {

using Bytes = std::span<const unsigned char>;

uint32_t little_endian(Bytes b) { return b[0] | b[1] << 8 | b[2] << 16 | static_cast<uint32_t>(b[3]) << 24; }
uint32_t big_endian(Bytes b) { return static_cast<uint32_t>(b[0]) << 24 | b[1] << 16 | b[2] << 8 | b[3]; }
bool equals(Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
}

// The first bytes of a file or of a part of it; zeros beyond the end.
template <size_t size>
std::array<unsigned char, size> bytes_at(const AudioFile& file, int64_t offset) {
  std::array<unsigned char, size> bytes{};
  file.read_at(offset, bytes);
  return bytes;
}

// Copies a pipe into an unnamed file and puts that in its place.
void spool(int descriptor, const std::filesystem::path& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> temporary(std::tmpfile(), std::fclose);
  if (!temporary) fail("cannot buffer {}: {}", path.string(), std::strerror(errno));
  std::array<unsigned char, 1 << 16> buffer;
  for (ssize_t got; (got = read(descriptor, buffer.data(), buffer.size())) != 0;) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 || std::fwrite(buffer.data(), 1, static_cast<size_t>(got), temporary.get()) == 0) {
      fail("cannot buffer {}: {}", path.string(), std::strerror(errno));
    }
  }
  if (std::fflush(temporary.get()) != 0 || dup2(fileno(temporary.get()), descriptor) < 0) {
    fail("cannot buffer {}: {}", path.string(), std::strerror(errno));
  }
  lseek(descriptor, 0, SEEK_SET);
}

// Whether four letters and a length that fits stand here, as at the start of every RIFF chunk.
bool is_chunk(const AudioFile& file, int64_t position) {
  const auto header = bytes_at<8>(file, position);
  const bool printable =
      std::all_of(header.begin(), header.begin() + 4, [](unsigned char c) { return c >= 32 && c < 127; });
  return printable && position + 8 + little_endian(Bytes(header).subspan(4)) <= file.size();
}

}  // namespace

AudioFile::AudioFile(const std::filesystem::path& path)
    : path_(path), descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) fail("cannot read {}: {}", path.string(), std::strerror(errno));
  try {
    struct stat status {};
    if (fstat(descriptor_, &status) != 0) fail("cannot read {}: {}", path.string(), std::strerror(errno));
    if (S_ISDIR(status.st_mode)) fail("{} is a folder; an audio file is expected", path.string());
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) {
      fail("{} is a device; an audio file is expected", path.string());
    }
    if (S_ISFIFO(status.st_mode)) spool(descriptor_, path);
    if (fstat(descriptor_, &status) != 0) fail("cannot read {}: {}", path.string(), std::strerror(errno));
    size_ = status.st_size;
    if (size_ == 0) fail("{} is empty (0 bytes); fetch it again, or remove it", path.string());
  } catch (...) {
    close(descriptor_);
    throw;
  }
}

AudioFile::~AudioFile() { close(descriptor_); }

size_t AudioFile::read_at(int64_t offset, std::span<unsigned char> buffer) const {
  size_t total = 0;
  while (total < buffer.size()) {
    const ssize_t got =
        pread(descriptor_, buffer.data() + total, buffer.size() - total, offset + static_cast<int64_t>(total));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    total += static_cast<size_t>(got);
  }
  return total;
}

std::optional<LengthField> find_length_field(const AudioFile& file) {
  const auto start = bytes_at<12>(file, 0);
  const Bytes header(start);
  if (equals(header, ".snd")) {
    return LengthField{8, big_endian(header.subspan(8)), file.size() - big_endian(header.subspan(4))};
  }
  if (!equals(header, "RIFF") || !equals(header.subspan(8), "WAVE")) return std::nullopt;
  for (int64_t position = 12; position + 8 <= file.size();) {
    const auto chunk = bytes_at<8>(file, position);
    const uint32_t size = little_endian(Bytes(chunk).subspan(4));
    if (equals(chunk, "data")) return LengthField{position + 4, size, file.size() - position - 8};
    position += 8 + int64_t{size} + size % 2;
  }
  return std::nullopt;
}

bool is_placeholder(const AudioFile& file, const LengthField& length) {
  constexpr uint32_t nearly_2_gib = 0x7FFFF000;
  if (length.claimed >= nearly_2_gib) return true;
  return length.claimed == 0 && length.available > 0 && !is_chunk(file, length.position + 4);
}

std::optional<int64_t> first_mpeg_frame(const AudioFile& file) {
  int64_t position = 0;
  const auto tag = bytes_at<10>(file, 0);
  // The tag's length is stored in four groups of seven bits.
  if (equals(tag, "ID3")) position = 10 + (tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9]);
  const auto frame = bytes_at<4>(file, position);
  const bool synchronised = frame[0] == 0xFF && (frame[1] & 0xE0) == 0xE0;
  const bool version = (frame[1] & 0x18) != 0x08, layer = (frame[1] & 0x06) != 0;
  const bool bit_rate = (frame[2] & 0xF0) != 0xF0, sample_rate = (frame[2] & 0x0C) != 0x0C;
  if (!synchronised || !version || !layer || !bit_rate || !sample_rate) return std::nullopt;
  return position;
}

std::string_view unsupported_format(const AudioFile& file) {
  const auto start = bytes_at<12>(file, 0);
  const Bytes header(start);
  if (header[0] == 0xFF && (header[1] & 0xF6) == 0xF0) return "AAC";
  struct Magic {
    size_t offset;
    std::string_view bytes, format;
  };
  constexpr Magic magics[] = {{4, "ftyp", "AAC/M4A"},         {0, "ADIF", "AAC"},
                              {0, "\x30\x26\xB2\x75", "WMA"}, {0, "\x1A\x45\xDF\xA3", "WebM/Matroska"},
                              {0, "wvpk", "WavPack"},         {0, "MAC ", "Monkey's Audio"}};
  for (const Magic& magic : magics) {
    if (equals(header.subspan(magic.offset), magic.bytes)) return magic.format;
  }
  return {};
}

}  // namespace melgrad
