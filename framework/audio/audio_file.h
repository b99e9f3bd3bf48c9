// The bytes of an audio file, or of a part of it. A pipe is copied to an unnamed temporary file first, because decoders
// seek.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace melgrad {

class Descriptor;

// A run of bytes of a file.
struct ByteRange {
  int64_t begin, size;
};

class AudioFile {
 public:
  // "-" is the standard input. Throws Error naming the path when the file does not exist, is a folder, a device or
  // empty, or cannot be read, and when a pipe cannot be copied completely (into the folder TMPDIR, by default /tmp).
  explicit AudioFile(const std::filesystem::path&);

  // The given ranges of this file, one after the other, as if they were a file of their own.
  AudioFile part(const std::vector<ByteRange>& ranges) const;
  AudioFile part(int64_t begin, int64_t size) const { return part(std::vector{ByteRange{begin, size}}); }

  const std::filesystem::path& path() const { return path_; }
  std::string name() const;  // for messages: the path, or "standard input"
  int64_t size() const { return size_; }
  // Fills `buffer` from `offset` and returns the number of bytes read: less than buffer.size() at the end of the file.
  // Throws Error when the system reports an error.
  size_t read_at(int64_t offset, std::span<unsigned char> buffer) const;
  // The bytes from `offset`; zeros beyond the end of the file.
  template <size_t count>
  std::array<unsigned char, count> bytes_at(int64_t offset) const {
    std::array<unsigned char, count> bytes{};
    read_at(offset, bytes);
    return bytes;
  }
  // Up to `count` bytes from `offset`; fewer at the end of the file.
  std::string text_at(int64_t offset, size_t count) const;
  // True if the file has exactly these bytes at `offset`.
  bool has(int64_t offset, std::string_view bytes) const;
  // The position of the first byte from `offset` that is not zero, or the size of the file.
  int64_t skip_zeros(int64_t offset) const;

 private:
  struct Extent {
    int64_t offset;  // in this view
    ByteRange range;
  };

  AudioFile(const AudioFile& whole, std::vector<Extent> extents, int64_t size);
  size_t read_raw(int64_t offset, std::span<unsigned char> buffer) const;

  std::filesystem::path path_;
  std::shared_ptr<const Descriptor> descriptor_;
  std::vector<Extent> extents_;  // sorted by offset
  int64_t size_ = 0;
};

}  // namespace melgrad
