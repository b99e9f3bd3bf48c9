#include "kernels/device/emulated/meter/sector_cache.h"

#include <algorithm>
#include <bit>

namespace emulated_cuda {

SectorCache::SectorCache(uint64_t bytes)
    : sets_(std::bit_floor(std::max<uint64_t>(1, bytes / line_bytes / ways))), lines_(sets_ * ways) {}

bool SectorCache::access(uint64_t sector, bool write, uint64_t& written_back) {
  constexpr uint64_t sectors_of_line = line_bytes / sector_bytes;
  Line& line = find_or_replace(sector / sectors_of_line, written_back);
  line.used = ++clock_;
  const auto bit = static_cast<uint8_t>(1 << sector % sectors_of_line);
  const bool held = line.held & bit;
  line.held |= bit;
  if (write) line.dirty |= bit;
  return held;
}

uint64_t SectorCache::dirty_sectors() const {
  uint64_t count = 0;
  for (const Line& line : lines_) count += line.age == age_ ? static_cast<uint64_t>(std::popcount(line.dirty)) : 0;
  return count;
}

SectorCache::Line& SectorCache::find_or_replace(uint64_t tag, uint64_t& written_back) {
  Line* const set = &lines_[(tag ^ tag / sets_) % sets_ * ways];
  Line* oldest = set;
  for (Line* line = set; line < set + ways; ++line) {
    if (line->age == age_ && line->tag == tag) return *line;
    if (line->age != age_ || (oldest->age == age_ && line->used < oldest->used)) oldest = line;
  }
  if (oldest->age == age_) written_back += static_cast<uint64_t>(std::popcount(oldest->dirty));
  *oldest = {.tag = tag, .age = age_};
  return *oldest;
}

}  // namespace emulated_cuda
