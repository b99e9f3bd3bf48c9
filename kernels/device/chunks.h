// Chunks let one launch process many arrays of different sizes: each array is cut into chunks of chunk_elements
// elements, and a block of threads takes one chunk.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace melgrad::kernel {

inline constexpr int64_t chunk_elements = 4096;

// Elements index * chunk_elements, ..., min(n, (index + 1) * chunk_elements) - 1 of an array of n elements.
struct Chunk {
  int32_t array, index;
};

// chunks [count] lies in the stream's memory.
struct ChunkTable {
  const Chunk* chunks;
  int64_t count;
};

// All chunks of arrays of the given sizes, in order.
inline std::vector<Chunk> cut_into_chunks(std::span<const int64_t> sizes) {
  std::vector<Chunk> chunks;
  for (size_t array = 0; array < sizes.size(); ++array) {
    for (int64_t begin = 0; begin < sizes[array]; begin += chunk_elements) {
      chunks.push_back({static_cast<int32_t>(array), static_cast<int32_t>(begin / chunk_elements)});
    }
  }
  return chunks;
}

}  // namespace melgrad::kernel
