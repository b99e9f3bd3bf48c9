// NumPy's .npy format (numpy.lib.format, versions 1 to 3) for float32 arrays in C order, as numpy.load reads them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace melgrad {

struct NpyArray {
  std::vector<int64_t> shape;
  std::vector<float> values;
};

// Writes atomically. Throws Error when the shape does not have values.size() elements, and WriteError.
void write_npy(const std::filesystem::path&, std::span<const float> values, const std::vector<int64_t>& shape);

// Throws Error naming the file unless it is a complete .npy file of little-endian float32 in C order.
NpyArray read_npy(const std::filesystem::path&);

}  // namespace melgrad
