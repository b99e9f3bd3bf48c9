// The bytes of an audio file. A pipe is copied to an unnamed temporary file first, because decoders seek.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

namespace melgrad {

class AudioFile {
 public:
  // Throws Error naming the path when the file does not exist, is a folder, a device or empty, or cannot be read.
  explicit AudioFile(const std::filesystem::path&);
  ~AudioFile();
  AudioFile(const AudioFile&) = delete;
  AudioFile& operator=(const AudioFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  int descriptor() const { return descriptor_; }
  int64_t size() const { return size_; }
  // Fills `buffer` from `offset` and returns the number of bytes read: less than buffer.size() at the end of the file.
  size_t read_at(int64_t offset, std::span<unsigned char> buffer) const;
  // The bytes from `offset`; zeros beyond the end of the file.
  template <size_t count>
  std::array<unsigned char, count> bytes_at(int64_t offset) const {
    std::array<unsigned char, count> bytes{};
    read_at(offset, bytes);
    return bytes;
  }
  // True if the file has exactly these bytes at `offset`.
  bool has(int64_t offset, std::string_view bytes) const;

 private:
  std::filesystem::path path_;
  int descriptor_;
  int64_t size_ = 0;
};

// The position of an MPEG audio frame at the beginning of the file or directly after an ID3v2 tag. Empty if there is no
// such frame.
std::optional<int64_t> first_mpeg_frame(const AudioFile&);

// The name of a recognised format that melgrad does not decode, such as "AAC/M4A"; empty for all other files.
std::string_view unsupported_format(const AudioFile&);

}  // namespace melgrad
