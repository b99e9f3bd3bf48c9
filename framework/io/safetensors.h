// Named arrays with text metadata in one file, in the safetensors format (huggingface.co/docs/safetensors, "Format"):
//
//   8 bytes   length of the header, little-endian
//   header    JSON {"__metadata__": {text: text}, name: {"dtype", "shape", "data_offsets": [begin, end]}, ...},
//             padded with spaces so that the data begins at a multiple of 8
//   data      the arrays' elements, little-endian, row-major, offsets counted from here, without gaps or overlaps
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "framework/io/file_content.h"

namespace melgrad {

struct SafeTensor {
  std::string name;
  std::string dtype;           // a name of the format: "F32", "BF16", "I64", "U64", ...
  std::vector<int64_t> shape;  // empty: a single element
  SharedBytes bytes;           // of a file that was read: in its mapped memory
};

// The elements of a float32 array. Throws Error naming the array if it has another dtype.
std::vector<float> float_values(const SafeTensor& tensor);

struct SafeTensors {
  std::map<std::string, std::string> metadata;
  std::vector<SafeTensor> tensors;
};

// Writes atomically. Arrays are sorted by descending element size, otherwise in the given order, so that each is
// aligned; PyTorch refuses misaligned arrays. Equal content gives equal bytes. Throws Error when a name repeats, a
// dtype is unknown, the number of bytes does not match the shape, or a text is not UTF-8, and WriteError.
void write_safetensors(const std::filesystem::path&, const SafeTensors&);

// Reads a file, which may be untrusted. The arrays are in the order of their data. Throws Error that names the file and
// the reason when the file does not follow the format.
SafeTensors read_safetensors(const std::filesystem::path&);

}  // namespace melgrad
