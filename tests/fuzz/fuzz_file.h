// A file in memory that holds the input of one run of a fuzz target.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace melgrad::fuzz {

class FuzzFile {
 public:
  // The path of the file ends in `name`.
  explicit FuzzFile(const char* name);
  ~FuzzFile();
  FuzzFile(const FuzzFile&) = delete;
  FuzzFile& operator=(const FuzzFile&) = delete;

  // Replaces the content. Returns the path.
  const std::filesystem::path& hold(const uint8_t* bytes, size_t size) const;

 private:
  std::filesystem::path folder_, path_;
  int descriptor_;
};

}  // namespace melgrad::fuzz
