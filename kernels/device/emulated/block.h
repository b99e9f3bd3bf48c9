// A block of threads. Threads wait for each other in two ways: all threads of the block at a barrier, or the lanes of a
// warp at a warp operation.
//
// The threads of a block are numbered with x fastest, then y, then z. 32 consecutive threads are a warp. A warp runs
// until all its lanes wait at a block barrier or have returned; then the next warp runs. A GPU may choose this schedule
// too, and it exposes missing barriers that a finer interleaving hides.
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

// The value that each lane of a warp passed to an operation.
using LaneValues = std::array<uint64_t, lanes>;

class Block {
 public:
  // Throws melgrad::Error if threads wait forever; the message says which thread waits where.
  void run(const std::function<void()>& kernel, uint3 index, dim3 threads);

  // The following are called by the running thread.

  // Waits until all threads of the block have made this call.
  void barrier(const std::source_location& where);
  // Waits until all lanes of `mask` have made this call, then returns the value of each.
  const LaneValues& exchange(WarpOperation, uint32_t mask, uint64_t value, const std::source_location& where);
  // The lane of the running thread in its warp.
  uint32_t lane() const { return current_->rank % lanes; }
  // Ends the launch with an error. Does not return.
  [[noreturn]] void fault(const std::source_location& where, std::string what);

 private:
  enum class State : uint8_t { ready, at_barrier, at_warp_operation, returned };
  struct Thread {
    uint32_t rank = 0;
    State state = State::ready;
    std::unique_ptr<Fiber> fiber;  // while the thread exists
    std::source_location where;    // the call in which it waits
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
  std::vector<Thread> threads_;  // as many as the largest block so far; the first count_ are in use
  std::vector<std::unique_ptr<Fiber>> idle_;
  Thread* current_ = nullptr;
  LaneValues brought_{};  // the values of the last completed warp operation
  std::string fault_;
};

// The running block. A launch runs its blocks one after another.
Block& current_block();

}  // namespace emulated_cuda

// Waits until all threads of the block have made this call. What they wrote before it is visible to all after it.
inline void __syncthreads(std::source_location where = std::source_location::current()) {
  emulated_cuda::current_block().barrier(where);
}
