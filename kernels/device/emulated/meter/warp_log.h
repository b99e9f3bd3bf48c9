// Finds the instructions of a warp from the records of its lanes.
//
// The emulated device runs one lane after another between two synchronisations. Each lane records its accesses and the
// basic blocks that it enters. When all lanes have paused, the records are merged: the unfinished lanes at the lowest
// instruction address execute next, together. The meter's compiler options keep code in the order of the source, so
// lanes that left a branch or a loop early wait behind it for the others, as on a GPU (S. Collange, "Stack-less SIMT
// reconvergence at low cost", 2011).
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/device/emulated/block.h"
#include "kernels/device/emulated/meter/measurement.h"

namespace emulated_cuda {

struct Record {
  uintptr_t address;
  uint32_t instruction;  // offset from the start of the program
  uint16_t bytes;        // 0: the lane entered a basic block
  AccessKind kind;
};

class WarpLog {
 public:
  void clear() {
    for (auto& records : of_lane_) records.clear();
  }
  void append(uint32_t lane, Record record) { of_lane_[lane].push_back(record); }

  // Calls instruction(records) for every instruction of the warp, with the records of the lanes that execute it, and
  // clears the log.
  template <class Instruction>
  void merge(Instruction instruction) {
    uint32_t at[lanes] = {}, unfinished[lanes], count = 0;
    for (uint32_t lane = 0; lane < lanes; ++lane) {
      if (!of_lane_[lane].empty()) unfinished[count++] = lane;
    }
    while (count > 0) {
      uint32_t lowest = UINT32_MAX;
      for (const uint32_t lane : std::span(unfinished, count)) {
        lowest = std::min(lowest, of_lane_[lane][at[lane]].instruction);
      }
      Record together[lanes];
      uint32_t executing = 0, left = 0;
      for (const uint32_t lane : std::span(unfinished, count)) {
        const Record& record = of_lane_[lane][at[lane]];
        if (record.instruction == lowest) {
          together[executing++] = record;
          ++at[lane];
        }
        if (at[lane] < of_lane_[lane].size()) unfinished[left++] = lane;
      }
      count = left;
      instruction(std::span<const Record>(together, executing));
    }
    clear();
  }

 private:
  std::vector<Record> of_lane_[lanes];
};

}  // namespace emulated_cuda
