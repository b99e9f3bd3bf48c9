// The interface through which the meter (meter/meter.h) and tests follow what the emulated device does. There is no
// observer unless `observer` is set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace emulated_cuda {

// A request to the device that is no kernel of ours.
enum class RuntimeCall : uint8_t {
  upload,       // copy from the host to the device
  readback,     // copy from the device to the host
  device_copy,  // copy within the device
  fill,         // cudaMemset
  allocation,   // cudaMalloc
  graph_launch,
  synchronisation
};
inline constexpr const char* runtime_call_names[] = {"upload",     "readback",     "device_copy",    "fill",
                                                     "allocation", "graph_launch", "synchronisation"};

// Each function does nothing unless it is overridden.
class Observer {
 public:
  virtual void begin_grid(const char* /*name*/, const void* /*kernel*/, uint64_t /*blocks*/,
                          uint32_t /*threads_of_block*/, size_t /*dynamic_shared_bytes*/) {}
  virtual void argument(int /*position*/, const void* /*pointer*/) {}  // of the next grid
  virtual void end_grid() {}
  virtual void begin_block(uint64_t /*index*/) {}
  virtual void end_block() {}
  virtual void declare_shared(const char* /*name*/, const void* /*begin*/, size_t /*bytes*/) {}
  virtual void resume(uint32_t /*thread*/) {}
  virtual void warp_paused() {}  // all its lanes wait or have returned
  // __syncwarp is the only warp operation that orders memory accesses.
  virtual void warp_synchronized(uint32_t /*warp*/, uint32_t /*mask*/) {}
  virtual void block_synchronized() {}
  virtual void fence() {}  // __threadfence by the running thread
  virtual void atomic(const void* /*address*/, size_t /*bytes*/, const void* /*instruction*/) {}
  virtual void profile(bool /*on*/) {}  // cudaProfilerStart or cudaProfilerStop
  virtual void runtime_call(RuntimeCall, size_t /*bytes*/) {}
  // A call of cuDNN, cuBLAS or cuFFT. `bytes`: inputs read once and outputs written once.
  virtual void library_call(const char* /*operation*/, const char* /*shape*/, double /*flops*/, double /*bytes*/) {}

 protected:
  ~Observer() = default;
};

inline Observer* observer = nullptr;

}  // namespace emulated_cuda
