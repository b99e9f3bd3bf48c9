// The size of a PNG picture.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "framework/io/atomic_file.h"

namespace melgrad::test {

struct Size {
  int width, height;
};

// Reads the IHDR chunk behind the signature: width and height are big-endian.
inline Size png_size(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  EXPECT_EQ(bytes.substr(0, 8), "\x89PNG\r\n\x1a\n") << path;
  EXPECT_EQ(bytes.substr(12, 4), "IHDR") << path;
  const auto number = [&](size_t at) {
    int value = 0;
    for (size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
  };
  return {number(16), number(20)};
}

}  // namespace melgrad::test
