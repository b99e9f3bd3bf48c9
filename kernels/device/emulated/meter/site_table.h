// The load and store instructions of a launch, each with a number below 4096 and what it cost.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <vector>

#include "kernels/device/emulated/meter/measurement.h"

namespace emulated_cuda {

class SiteTable {
 public:
  void clear() { slots_.assign(capacity, {}); }
  // The number of an instruction, given by its offset from the start of the program. Ends the program if a launch
  // executes too many different instructions; the largest kernel has about 200.
  uint32_t number_of(uint32_t instruction) {
    uint32_t slot = instruction * 2654435769u >> (32 - bits);
    for (uint32_t tried = 0; slots_[slot].instruction != instruction; ++tried) {
      if (slots_[slot].instruction == 0) slots_[slot].instruction = instruction;
      if (slots_[slot].instruction == instruction) break;
      if (tried == capacity) {
        std::fprintf(stderr, "meter: a kernel executes more than %u load and store instructions\n", capacity);
        std::abort();  // an exception cannot leave a kernel
      }
      slot = (slot + 1) % capacity;
    }
    return slot;
  }
  uint64_t instruction(uint32_t number) const { return slots_[number].instruction; }
  Site& operator[](uint32_t number) { return slots_[number].site; }
  std::map<uint64_t, Site> used() const {
    std::map<uint64_t, Site> result;
    for (const Slot& slot : slots_) {
      if (slot.site.requests > 0) result[slot.instruction] = slot.site;
    }
    return result;
  }

 private:
  static constexpr uint32_t bits = 12, capacity = 1u << bits;
  struct Slot {
    uint32_t instruction = 0;
    Site site;
  };
  std::vector<Slot> slots_ = std::vector<Slot>(capacity);  // a hash table
};

}  // namespace emulated_cuda
