// A model of a GPU's cache: 16-way, lines of 128 bytes that are filled by 32-byte sectors, the least recently used line
// is replaced.
#pragma once

#include <cstdint>
#include <vector>

namespace emulated_cuda {

inline constexpr uint64_t sector_bytes = 32;

class SectorCache {
 public:
  explicit SectorCache(uint64_t bytes);

  void clear() { ++age_; }
  // Loads a sector, given by its address / sector_bytes. Returns true if the cache held it. Adds the dirty sectors of
  // the replaced line to `written_back`.
  bool access(uint64_t sector, bool write, uint64_t& written_back);
  uint64_t dirty_sectors() const;

 private:
  static constexpr uint64_t ways = 16, line_bytes = 128;
  struct Line {
    uint64_t tag = 0, used = 0;
    uint32_t age = 0;             // a line of another age is empty
    uint8_t held = 0, dirty = 0;  // a bit per sector
  };
  Line& find_or_replace(uint64_t tag, uint64_t& written_back);

  uint64_t sets_, clock_ = 0;
  uint32_t age_ = 1;
  std::vector<Line> lines_;
};

}  // namespace emulated_cuda
