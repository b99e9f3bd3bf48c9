// The bytes of one execution as a file in memory, under a path that a reader opens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace melgrad::fuzz {

class FuzzFile {
 public:
  // The path ends in `name`.
  explicit FuzzFile(const char* name);
  ~FuzzFile();
  FuzzFile(const FuzzFile&) = delete;
  FuzzFile& operator=(const FuzzFile&) = delete;

  const std::filesystem::path& hold(const uint8_t* bytes, size_t size) const;

 private:
  std::filesystem::path folder_, path_;
  int descriptor_;
};

}  // namespace melgrad::fuzz
