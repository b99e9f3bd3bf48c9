#include "kernels/device/emulated/meter/shadow_memory.h"

#include <algorithm>
#include <bit>

#include "kernels/device/emulated/device_memory.h"
#include "kernels/device/emulated/meter/sector_cache.h"

namespace emulated_cuda {
namespace {

void add_page(Footprint& sum, const Page& page) {
  if (page.granule == 0) return;
  uint32_t read = 0, written = 0;  // a bit per sector
  for (uint32_t at = 0; at < Page::bytes; at += page.granule) {
    const Cell& cell = page.cells[at / page.granule];
    if (!cell.reader[0].is_empty()) {
      sum.read_bytes += page.granule;
      read |= 1u << at / sector_bytes;
    }
    if (!cell.writer.is_empty()) {
      sum.written_bytes += page.granule;
      written |= 1u << at / sector_bytes;
    }
  }
  sum.read_sectors += static_cast<uint64_t>(std::popcount(read));
  sum.written_sectors += static_cast<uint64_t>(std::popcount(written));
}

}  // namespace

void Page::fit(uint32_t begin, uint32_t end) {
  constexpr uint32_t largest = 16;
  const uint32_t wanted = 1u << std::countr_zero(begin | end | largest);
  if (granule != 0 && granule <= wanted) return;
  std::unique_ptr<Cell[]> finer(new Cell[bytes / wanted]());
  if (granule != 0) {
    for (uint32_t i = 0; i < bytes / wanted; ++i) finer[i] = cells[i * wanted / granule];
  }
  cells = std::move(finer);
  granule = wanted;
}

void ShadowMemory::begin_grid() {
  device_.clear();
  for (const auto& [begin, end] : usable_device_memory()) device_.emplace_back(begin, end, nullptr);
  last_ = 0;
}

void ShadowMemory::add_shared(const char* name, const void* begin, size_t bytes) {
  const auto address = reinterpret_cast<uintptr_t>(begin);
  shared_.emplace_back(address, address + bytes, name);
}

Region* ShadowMemory::find(uintptr_t address) {
  for (Region& region : shared_) {
    if (region.contains(address)) return &region;
  }
  if (last_ < device_.size() && device_[last_].contains(address)) return &device_[last_];
  auto next = std::ranges::upper_bound(device_, address, {}, &Region::begin);
  if (next == device_.begin() || address >= (--next)->end) return nullptr;
  last_ = static_cast<size_t>(next - device_.begin());
  return &*next;
}

Footprint ShadowMemory::footprint() const {
  Footprint sum;
  for (const Region& region : device_) {
    for (const Page& page : region.pages) add_page(sum, page);
  }
  return sum;
}

}  // namespace emulated_cuda
