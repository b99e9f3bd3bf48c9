// Named arrays with text metadata in one file, in the safetensors format (huggingface.co/docs/safetensors, "Format"):
//
//   8 bytes   length of the header, little-endian
//   header    JSON {"__metadata__": {text: text}, name: {"dtype", "shape", "data_offsets": [begin, end]}, ...},
//             padded with spaces so that the data begin at a multiple of 8
//   data      the arrays' elements, little-endian, row-major, offsets counted from here, without gaps or overlaps
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace melgrad {

struct SafeTensor {
  std::string name;
  std::string dtype;           // as the format spells it: "F32", "BF16", "I64", "U64", ...
  std::vector<int64_t> shape;  // empty: a single element
  std::vector<std::byte> bytes;
};

struct SafeTensors {
  std::map<std::string, std::string> metadata;
  std::vector<SafeTensor> tensors;
};

// Writes the file whole or not at all. Arrays are laid out by descending element size, otherwise in the order given, so
// that each is aligned: torch refuses a misaligned one. Equal content gives equal bytes. Throws Error when a name
// repeats, a dtype is unknown, the bytes do not fill the shape, a text is not UTF-8, or the file cannot be written.
void write_safetensors(const std::filesystem::path&, const SafeTensors&);

// Reads a file from anywhere, trusted or not; the arrays come in the order of their data. Whatever departs from the
// format throws Error in one line that names the file and what is wrong.
SafeTensors read_safetensors(const std::filesystem::path&);

}  // namespace melgrad
