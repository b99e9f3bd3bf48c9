// The content of a file, without a copy where the system allows it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

namespace melgrad {

// Bytes that belong to this object, or that lie in memory which it keeps alive. Copies of it share that memory.
class SharedBytes {
 public:
  SharedBytes() = default;
  explicit SharedBytes(std::vector<std::byte> own);
  SharedBytes(std::span<const std::byte> part, std::shared_ptr<const void> owner)
      : view_(part), owner_(std::move(owner)) {}

  const std::byte* data() const { return view_.data(); }
  size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  // Bytes begin to end - 1, which share the memory.
  SharedBytes part(size_t begin, size_t end) const { return {view_.subspan(begin, end - begin), owner_}; }
  friend bool operator==(const SharedBytes& a, const SharedBytes& b);

 private:
  std::span<const std::byte> view_;
  std::shared_ptr<const void> owner_;
};

// Maps a regular file into memory, so that its pages are read when they are used. Reads anything else, such as a pipe;
// "-" is the standard input. melgrad replaces files and never changes them in place, so mapped content stays as it is.
// Throws Error naming the path and the reason.
SharedBytes read_shared(const std::filesystem::path& path);

}  // namespace melgrad
