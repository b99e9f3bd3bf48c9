// File descriptors of the system.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace melgrad {

// Owns a descriptor and closes it. A negative value owns nothing.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

// Opens a file, or the standard input if `path` is "-". Returns -1 and sets errno if the system refuses.
int open_for_reading(const std::filesystem::path& path);

// Writes all bytes. Throws std::system_error.
void write_all(int descriptor, std::span<const std::byte> bytes);

}  // namespace melgrad
