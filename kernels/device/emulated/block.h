// A block of threads and the two ways in which they wait for each other: all of the block at a barrier, or the lanes of
// a warp at a warp operation.
//
// The threads of a block are numbered x fastest, then y, then z; 32 in a row make a warp, whose lanes a GPU runs in
// step. One warp runs here until all its lanes wait at a block barrier or have returned, and only then the next: of the
// schedules that a GPU may choose it is the one that shows a missing barrier, where fine interleaving hides it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <vector>

#include "kernels/device/emulated/fiber.h"
#include "kernels/device/emulated/language.h"

namespace emulated_cuda {

constexpr uint32_t lanes = 32;

enum class WarpOperation : uint8_t { synchronize, shuffle, vote };

// What each lane of the warp brought to an operation.
using LaneValues = std::array<uint64_t, lanes>;

class Block {
 public:
  // Throws melgrad::Error when the threads cannot all go on, saying who waits where.
  void run(const std::function<void()>& kernel, uint3 index, dim3 threads);

  // The following are called by the running thread.

  // Waits until all threads of the block are here.
  void barrier(const std::source_location& where);
  // Waits until all lanes of `mask` are here, then returns what each brought.
  const LaneValues& exchange(WarpOperation, uint32_t mask, uint64_t value, const std::source_location& where);
  // The running thread's number in its warp.
  uint32_t lane() const { return current_->rank % lanes; }
  // Ends the launch with an error. Does not return.
  [[noreturn]] void fault(const std::source_location& where, std::string what);

 private:
  enum class State : uint8_t { ready, at_barrier, at_warp_operation, returned };
  struct Thread {
    uint32_t rank = 0;
    State state = State::ready;
    std::unique_ptr<Fiber> fiber;  // from its first instruction to its last
    std::source_location where;    // the call it waits in
    WarpOperation operation{};
    uint32_t mask = 0;
    uint64_t value = 0;
  };

  void resume(Thread&);
  void run_warp(uint32_t warp);
  bool complete_warp_operations(uint32_t warp);
  static bool in_same_call(const Thread&, const Thread* peer);
  bool complete_barrier();
  [[noreturn]] void report_deadlock() const;
  Thread* lane_of(uint32_t warp, uint32_t lane);
  uint3 index_of(uint32_t rank) const;
  std::string describe(const Thread&) const;
  void abandon_fibers();

  const std::function<void()>* kernel_ = nullptr;
  dim3 shape_;
  uint32_t count_ = 0;
  std::vector<Thread> threads_;  // grows to the largest block, the first count_ are in use
  std::vector<std::unique_ptr<Fiber>> idle_;
  Thread* current_ = nullptr;
  LaneValues brought_{};  // to the warp operations that were completed last
  std::string fault_;
};

// The block that is running. A launch runs its blocks one after another.
Block& current_block();

}  // namespace emulated_cuda

// Waits until all threads of the block have come here; what they wrote before, all see after.
inline void __syncthreads(std::source_location where = std::source_location::current()) {
  emulated_cuda::current_block().barrier(where);
}
