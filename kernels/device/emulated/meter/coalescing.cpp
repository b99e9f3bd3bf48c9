#include "kernels/device/emulated/meter/coalescing.h"

#include <bit>

#include "kernels/device/emulated/meter/sector_cache.h"

namespace emulated_cuda {

SectorRequest coalesce(std::span<const Record> accesses) {
  SectorRequest request;
  uint32_t wanted[2 * lanes];  // a bit per byte of each sector
  for (const Record& access : accesses) {
    for (uintptr_t a = access.address, end = a + access.bytes; a < end;) {
      const uint64_t sector = a / sector_bytes, stop = std::min<uint64_t>(end, (sector + 1) * sector_bytes);
      uint32_t k = request.count;  // accesses of neighbouring lanes usually share the last sector
      while (k > 0 && request.sectors[k - 1] != sector) --k;
      if (k == 0) {
        request.sectors[request.count] = sector;
        wanted[request.count] = 0;
        k = ++request.count;
      }
      wanted[k - 1] |= static_cast<uint32_t>(((uint64_t{1} << (stop - a)) - 1) << a % sector_bytes);
      a = stop;
    }
  }
  uint32_t bytes = 0;
  for (uint32_t k = 0; k < request.count; ++k) bytes += static_cast<uint32_t>(std::popcount(wanted[k]));
  request.least = (bytes + sector_bytes - 1) / sector_bytes;
  return request;
}

BankRequest count_passes(std::span<const Record> accesses) {
  constexpr uint32_t banks = 32, bank_bytes = 4;
  BankRequest request;
  const uint32_t words = std::max(1u, accesses.front().bytes / bank_bytes);
  const uint32_t lanes_of_part = lanes / std::min(4u, std::bit_ceil(words));
  for (size_t begin = 0; begin < accesses.size(); begin += lanes_of_part) {
    uint64_t wanted[banks][lanes];
    uint32_t count[banks] = {}, most = 1;
    for (const Record& access : accesses.subspan(begin, std::min<size_t>(lanes_of_part, accesses.size() - begin))) {
      for (uint32_t w = 0; w < words; ++w) {
        const uint64_t word = access.address / bank_bytes + w;
        uint32_t& of_bank = count[word % banks];
        uint64_t* const words_of_bank = wanted[word % banks];
        const bool present = std::find(words_of_bank, words_of_bank + of_bank, word) != words_of_bank + of_bank;
        if (present && access.kind != AccessKind::shared_atomic) continue;
        words_of_bank[of_bank++] = word;
        most = std::max(most, of_bank);
      }
    }
    request.passes += most;
    ++request.least;
  }
  return request;
}

}  // namespace emulated_cuda
