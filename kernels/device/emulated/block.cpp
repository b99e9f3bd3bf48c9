#include "kernels/device/emulated/block.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string_view>

#include "kernels/device/emulated/observer.h"
#include "kernels/device/emulated/order.h"
#include "kernels/device/error.h"

namespace emulated_cuda {
namespace {

std::string place(const std::source_location& where) {
  return fmt::format("{}:{}", std::filesystem::path(where.file_name()).filename().string(), where.line());
}

bool same(const std::source_location& a, const std::source_location& b) {
  // The pointers are usually equal, and comparing text is slow under a sanitizer.
  return a.line() == b.line() && a.column() == b.column() &&
         (a.file_name() == b.file_name() || std::string_view(a.file_name()) == std::string_view(b.file_name()));
}

}  // namespace

Block& current_block() {
  static Block block;
  return block;
}

void Block::run(const std::function<void()>& kernel, uint3 index, dim3 shape) {
  kernel_ = &kernel;
  shape_ = shape;
  count_ = shape.x * shape.y * shape.z;
  if (threads_.size() < count_) threads_.resize(count_);
  for (uint32_t rank = 0; rank < count_; ++rank) {
    threads_[rank].rank = rank;
    threads_[rank].state = State::ready;
  }
  blockIdx = index;
  blockDim = shape;
  fault_.clear();
  try {
    const std::vector<uint32_t> warps = ordered((count_ + lanes - 1) / lanes, index.x + 31 * index.y + 997 * index.z);
    do {
      for (const uint32_t warp : warps) run_warp(warp);
    } while (complete_barrier());
  } catch (...) {
    abandon_fibers();
    throw;
  }
}

void Block::resume(Thread& thread) {
  if (!thread.fiber) {
    if (idle_.empty()) idle_.push_back(std::make_unique<Fiber>());
    thread.fiber = std::move(idle_.back());
    idle_.pop_back();
    thread.fiber->assign(*kernel_);
  }
  current_ = &thread;
  threadIdx = index_of(thread.rank);
  if (observer) observer->resume(thread.rank);
  if (thread.fiber->resume()) {
    thread.state = State::returned;
    idle_.push_back(std::move(thread.fiber));
  }
  // Thrown here because an exception cannot leave a fiber.
  if (!fault_.empty()) melgrad::fail("{}", fault_);
}

void Block::run_warp(uint32_t warp) {
  const std::vector<uint32_t> order = ordered(lanes, warp);
  do {
    for (const uint32_t lane : order) {
      Thread* thread = lane_of(warp, lane);
      if (thread && thread->state == State::ready) resume(*thread);
    }
    if (observer) observer->warp_paused();
  } while (complete_warp_operations(warp));
}

// Resumes the lanes whose whole mask waits in the same call. Returns true if there are any.
bool Block::complete_warp_operations(uint32_t warp) {
  bool completed = false;
  for (uint32_t lane = 0; lane < lanes; ++lane) {
    const Thread* first = lane_of(warp, lane);
    if (!first || first->state != State::at_warp_operation) continue;
    bool complete = true;
    for (uint32_t other = 0; other < lanes && complete; ++other) {
      if (first->mask >> other & 1) complete = in_same_call(*first, lane_of(warp, other));
    }
    if (!complete) continue;
    const uint32_t mask = first->mask;
    for (uint32_t other = 0; other < lanes; ++other) {
      if (!(mask >> other & 1)) continue;
      Thread* peer = lane_of(warp, other);
      brought_[other] = peer->value;
      peer->state = State::ready;
    }
    if (observer && first->operation == WarpOperation::synchronize) observer->warp_synchronized(warp, mask);
    completed = true;
  }
  return completed;
}

bool Block::in_same_call(const Thread& thread, const Thread* peer) {
  return peer && peer->state == State::at_warp_operation && peer->operation == thread.operation &&
         peer->mask == thread.mask && same(peer->where, thread.where);
}

// Call it when no thread is ready. Returns true if all threads waited at the same barrier and are now ready, false if
// all have returned. Throws Error otherwise.
bool Block::complete_barrier() {
  const auto threads = std::span(threads_).first(count_);
  const auto returned = std::ranges::count(threads, State::returned, &Thread::state);
  if (returned == count_) return false;
  if (std::ranges::count(threads, State::at_barrier, &Thread::state) != count_) report_deadlock();
  const Thread& first = threads.front();
  for (const Thread& thread : threads) {
    if (!same(thread.where, first.where)) {
      melgrad::fail("divergent barrier: {} and {}", describe(first), describe(thread));
    }
  }
  for (Thread& thread : threads) thread.state = State::ready;
  if (observer) observer->block_synchronized();
  return true;
}

void Block::report_deadlock() const {
  const auto threads = std::span(threads_).first(count_);
  for (const Thread& thread : threads) {
    if (thread.state != State::at_warp_operation) continue;
    for (uint32_t lane = 0; lane < lanes; ++lane) {
      if (!(thread.mask >> lane & 1)) continue;
      const uint32_t rank = thread.rank / lanes * lanes + lane;
      if (rank >= count_) {
        melgrad::fail("incomplete warp: {} for lane {}, which a block of {} threads does not have", describe(thread),
                      lane, count_);
      }
      const Thread& peer = threads_[rank];
      if (!in_same_call(thread, &peer)) {
        melgrad::fail("incomplete warp: {} for lane {}, but {}", describe(thread), lane, describe(peer));
      }
    }
  }
  const auto waiting = std::ranges::find(threads, State::at_barrier, &Thread::state);
  const auto gone = std::ranges::find(threads, State::returned, &Thread::state);
  melgrad::fail("incomplete barrier: {}, but {}", describe(*waiting), describe(*gone));
}

void Block::barrier(const std::source_location& where) {
  current_->state = State::at_barrier;
  current_->where = where;
  Fiber::pause();
}

const LaneValues& Block::exchange(WarpOperation operation, uint32_t mask, uint64_t value,
                                  const std::source_location& where) {
  Thread& self = *current_;
  if (!(mask >> lane() & 1)) fault(where, fmt::format("lane {} is not in its own mask {:#010x}", lane(), mask));
  self.state = State::at_warp_operation;
  self.operation = operation;
  self.mask = mask;
  self.value = value;
  self.where = where;
  Fiber::pause();
  return brought_;  // all lanes of the warp read it before its next operation completes
}

void Block::fault(const std::source_location& where, std::string what) {
  {
    const std::string message = std::move(what);  // destroyed before pause(): the abandoned stack runs no destructors
    const uint3 index = index_of(current_->rank);
    fault_ = fmt::format("{}: thread ({}, {}, {}): {}", place(where), index.x, index.y, index.z, message);
  }
  Fiber::pause();
  std::abort();  // never reached: the fiber of a failed thread is not resumed
}

Block::Thread* Block::lane_of(uint32_t warp, uint32_t lane) {
  const uint32_t rank = warp * lanes + lane;
  return rank < count_ ? &threads_[rank] : nullptr;
}

uint3 Block::index_of(uint32_t rank) const {
  return {rank % shape_.x, rank / shape_.x % shape_.y, rank / (shape_.x * shape_.y)};
}

std::string Block::describe(const Thread& thread) const {
  const uint3 index = index_of(thread.rank);
  const std::string name = fmt::format("thread ({}, {}, {})", index.x, index.y, index.z);
  if (thread.state == State::returned) return name + " has returned";
  return fmt::format("{} waits at {}{}", name, thread.state == State::at_barrier ? "the barrier " : "",
                     place(thread.where));
}

// After an error, threads that have not returned are never resumed.
void Block::abandon_fibers() {
  for (Thread& thread : threads_) thread.fiber.reset();
}

}  // namespace emulated_cuda
