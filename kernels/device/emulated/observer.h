// The interface through which the meter (meter.cpp) follows a launch. There is no observer unless `observer` is set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace emulated_cuda {

class Observer {
 public:
  virtual void begin_grid(const char* name, const void* kernel, uint32_t threads_of_block) = 0;
  virtual void argument(int position, const void* pointer) = 0;  // of the next grid
  virtual void end_grid() = 0;
  virtual void begin_block(uint64_t index) = 0;
  virtual void declare_shared(const char* name, const void* begin, size_t bytes) = 0;
  virtual void resume(uint32_t thread) = 0;
  virtual void warp_paused() = 0;  // all its lanes wait or have returned
  virtual void warp_synchronized(uint32_t warp,
                                 uint32_t mask) = 0;  // by __syncwarp, the only warp operation that orders memory
  virtual void block_synchronized() = 0;
  virtual void atomic(const void* address, size_t bytes, const void* instruction) = 0;

 protected:
  ~Observer() = default;
};

inline Observer* observer = nullptr;

}  // namespace emulated_cuda
