// A stream executes work on one device in order. It owns the device's memory: a caching allocator, so that a training
// step allocates nothing from the system once its sizes are known, and a workspace that grows to the largest request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/device/graph.h"
#include "kernels/device/memory.h"
#include "kernels/device/profiler.h"

namespace melgrad {

enum class Device : uint8_t { cpu, cuda };

constexpr const char* name_of(Device device) { return device == Device::cpu ? "cpu" : "cuda"; }

// An asynchronous copy of a small result to the host. start() queues the copy and returns; wait() returns when it is
// done. One copy at a time.
class Readback {
 public:
  virtual ~Readback() = default;
  virtual void start(const void* from) = 0;
  virtual const void* wait() = 0;  // the bytes on the host, valid until the next start()
};

// A point in the work of a stream that knows when the device reached it.
class TimeMark {
 public:
  virtual ~TimeMark() = default;
  // Waits for the device to reach both marks, which must be of the same stream.
  virtual double seconds_since(const TimeMark& earlier) = 0;
};

// An array in a device's memory.
struct ArrayBytes {
  const void* data;
  size_t size;
};

// Copies of arrays, as they were at one point of the stream, on their way to the host. The stream goes on meanwhile.
class ArraysInFlight {
 public:
  virtual ~ArraysInFlight() = default;
  virtual bool arrived() = 0;  // does not wait
  virtual void wait() = 0;
  // The bytes of array i, after wait(), once. Callable from any thread.
  virtual std::vector<std::byte> take(size_t i) = 0;
};

class Stream {
 public:
  // True if the program is built for GPUs. The emulated device does not count.
#if MELGRAD_CUDA && !MELGRAD_EMULATED
  static constexpr bool built_for_gpus = true;
#else
  static constexpr bool built_for_gpus = false;
#endif

  // The only stream of a device. Throws Error if the build or the machine has no such device.
  static Stream& of(Device);
  // True if Stream::of would succeed.
  static bool available(Device device) { return !why_unavailable(device); }
  // The reason why Stream::of would throw, in one line. Empty if it would succeed.
  static std::optional<std::string> why_unavailable(Device);
  // Selects the GPU that Device::cuda stands for, by the driver's index; initially 0. Throws Error if another GPU is
  // already in use.
  static void choose_gpu(int index);

  virtual Device device() const = 0;
  // The name of the device in messages: "cpu", "cuda:0 (NVIDIA H200)".
  virtual std::string description() const = 0;
  // True on GPUs of compute capability 8.0 and newer.
  virtual bool has_bfloat16() const = 0;

  // Allocates at least `bytes` bytes, aligned to 64, uninitialised. A block may be released while work submitted
  // earlier still uses it: the stream orders its reuse. Throws OutOfMemory, which names the request and the bytes used
  // and free.
  virtual void* allocate(size_t bytes) = 0;
  virtual void release(void*) noexcept = 0;

  // Temporary memory, valid until the next call of workspace on this stream.
  virtual void* workspace(size_t bytes) = 0;

  // Copies in stream order. Either side may be host memory. A copy to the host is complete on return; after a copy from
  // the host, the source may be changed at once.
  virtual void copy(void* to, const void* from, size_t bytes) = 0;
  virtual void zero(void* to, size_t bytes) = 0;
  virtual std::unique_ptr<Readback> make_readback(size_t bytes) = 0;
  // Copies the arrays to the host as they are at this point of the stream. They may be changed at once.
  virtual std::unique_ptr<ArraysInFlight> send_to_host(std::span<const ArrayBytes> arrays) = 0;

  // Records graphs of the stream's work; null on devices without graphs.
  virtual GraphRecorder* graph_recorder() { return nullptr; }

  // Waits for all submitted work. Throws DeviceError if some of it failed.
  virtual void synchronize() = 0;

  // Marks the present end of the submitted work. Null on devices whose work is complete when a call returns.
  virtual std::unique_ptr<TimeMark> mark_time() { return nullptr; }

  virtual MemoryUse memory() const = 0;
  virtual void reset_peak() = 0;

  // Starts or stops the range that `nsys profile --capture-range cudaProfilerApi` and `ncu --profile-from-start off`
  // record.
  virtual void capture_profile(bool on) = 0;
  // A named range in the device's profiler (NVTX on CUDA). `name` must outlive the range.
  virtual void begin_range(const char* name) noexcept = 0;
  virtual void end_range() noexcept = 0;

  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

 protected:
  Stream() = default;
  ~Stream() = default;
};

// A range that lasts as long as the object, in the device's profiler and in a recording of melgrad's own
// (kernels/device/profiler.h). `name` must outlive it.
class ProfilerRange {
 public:
  ProfilerRange(Stream& stream, const char* name, RangeKind kind = RangeKind::op) : stream_(stream) {
    stream_.begin_range(name);
    if (profiler::recording.load(std::memory_order_relaxed)) [[unlikely]]
      number_ = profiler::begin_range(stream, kind, name);
  }
  // A call of a kernel while a recording runs.
  ProfilerRange(Stream& stream, const char* name, KernelCall call) : stream_(stream) {
    stream_.begin_range(name);
    number_ = profiler::begin_range(stream, RangeKind::kernel, name, std::move(call));
  }
  ~ProfilerRange() {
    if (number_ >= 0) [[unlikely]]
      profiler::end_range(number_);
    stream_.end_range();
  }
  ProfilerRange(const ProfilerRange&) = delete;
  ProfilerRange& operator=(const ProfilerRange&) = delete;

 private:
  Stream& stream_;
  int64_t number_ = -1;
};

// Runs body() as a phase of the program's work, such as "decode" or "forward". `name` must outlive it.
template <class Body>
auto in_phase(Stream& stream, const char* name, const Body& body) {
  const ProfilerRange range(stream, name, RangeKind::phase);
  return body();
}

}  // namespace melgrad
