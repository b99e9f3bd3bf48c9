// An audio file as bytes, opened with an error that tells a user what is wrong. Pipes are copied to an unnamed
// temporary file first, since decoders seek.
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
  // Throws Error naming the path: absent, a folder, a device, empty, not readable.
  explicit AudioFile(const std::filesystem::path&);
  ~AudioFile();
  AudioFile(const AudioFile&) = delete;
  AudioFile& operator=(const AudioFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  int descriptor() const { return descriptor_; }
  int64_t size() const { return size_; }
  // As many bytes as there are from `offset`, up to buffer.size().
  size_t read_at(int64_t offset, std::span<unsigned char> buffer) const;
  // Zeros beyond the end.
  template <size_t count>
  std::array<unsigned char, count> bytes_at(int64_t offset) const {
    std::array<unsigned char, count> bytes{};
    read_at(offset, bytes);
    return bytes;
  }
  // Whether these bytes stand there.
  bool has(int64_t offset, std::string_view bytes) const;

 private:
  std::filesystem::path path_;
  int descriptor_;
  int64_t size_ = 0;
};

// The position of the first MPEG audio frame, where one stands at the beginning or after an ID3v2 tag.
std::optional<int64_t> first_mpeg_frame(const AudioFile&);

// The name of a known format that cannot be decoded here, such as "AAC/M4A"; empty otherwise.
std::string_view unsupported_format(const AudioFile&);

}  // namespace melgrad
