#include "framework/audio/audio_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "kernels/device/error.h"

namespace melgrad {
namespace {

// Copies a pipe into an unnamed temporary file and makes the descriptor refer to that file.
void spool(int descriptor, const std::filesystem::path& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> temporary(std::tmpfile(), std::fclose);
  if (!temporary)
    fail("cannot copy the pipe {} to a temporary file: {}; give a file instead", path.string(), std::strerror(errno));
  std::array<unsigned char, 1 << 16> buffer;
  for (ssize_t got; (got = read(descriptor, buffer.data(), buffer.size())) != 0;) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 || std::fwrite(buffer.data(), 1, static_cast<size_t>(got), temporary.get()) == 0) {
      fail("cannot copy the pipe {} to a temporary file: {}; give a file instead", path.string(), std::strerror(errno));
    }
  }
  if (std::fflush(temporary.get()) != 0 || dup2(fileno(temporary.get()), descriptor) < 0) {
    fail("cannot copy the pipe {} to a temporary file: {}; give a file instead", path.string(), std::strerror(errno));
  }
  lseek(descriptor, 0, SEEK_SET);
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

bool AudioFile::has(int64_t offset, std::string_view bytes) const {
  std::string there(bytes.size(), '\0');
  there.resize(read_at(offset, {reinterpret_cast<unsigned char*>(there.data()), there.size()}));
  return there == bytes;
}

std::optional<int64_t> first_mpeg_frame(const AudioFile& file) {
  int64_t position = 0;
  const auto tag = file.bytes_at<10>(0);
  // An ID3v2 tag stores its length in four groups of seven bits.
  if (file.has(0, "ID3")) position = 10 + (tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9]);
  const auto frame = file.bytes_at<4>(position);
  const bool synchronised = frame[0] == 0xFF && (frame[1] & 0xE0) == 0xE0;
  const bool version = (frame[1] & 0x18) != 0x08, layer = (frame[1] & 0x06) != 0;
  const bool bit_rate = (frame[2] & 0xF0) != 0xF0, sample_rate = (frame[2] & 0x0C) != 0x0C;
  if (!synchronised || !version || !layer || !bit_rate || !sample_rate) return std::nullopt;
  return position;
}

std::string_view unsupported_format(const AudioFile& file) {
  const auto header = file.bytes_at<2>(0);
  if (header[0] == 0xFF && (header[1] & 0xF6) == 0xF0) return "AAC";
  struct Magic {
    int64_t offset;
    std::string_view bytes, format;
  };
  constexpr Magic magics[] = {{4, "ftyp", "AAC/M4A"},         {0, "ADIF", "AAC"},
                              {0, "\x30\x26\xB2\x75", "WMA"}, {0, "\x1A\x45\xDF\xA3", "WebM/Matroska"},
                              {0, "wvpk", "WavPack"},         {0, "MAC ", "Monkey's Audio"}};
  for (const Magic& magic : magics) {
    if (file.has(magic.offset, magic.bytes)) return magic.format;
  }
  return {};
}

}  // namespace melgrad
