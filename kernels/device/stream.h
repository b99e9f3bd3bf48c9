// A stream is ordered work on one device. It owns that device's memory: a caching allocator whose blocks keep their
// addresses, so that a steady training step allocates nothing, and one workspace that grows to the largest request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "kernels/device/memory.h"

namespace melgrad {

enum class Device : uint8_t { cpu, cuda };

constexpr const char* name_of(Device device) { return device == Device::cpu ? "cpu" : "cuda"; }

// The way of a small result to the host that does not hold the device up: start() queues the copy and returns, wait()
// returns when it is done. One copy at a time.
class Readback {
 public:
  virtual ~Readback() = default;
  virtual void start(const void* from) = 0;
  virtual const void* wait() = 0;  // the bytes, on the host, until the next start()
};

class Stream {
 public:
  // Whether the program is built for GPUs. The emulated device is none: it finds mistakes, slowly.
#if MELGRAD_CUDA && !MELGRAD_EMULATED
  static constexpr bool built_for_gpus = true;
#else
  static constexpr bool built_for_gpus = false;
#endif

  // The one stream of a device. Throws Error when the build or the machine has no such device.
  static Stream& of(Device);
  // Whether Stream::of would succeed.
  static bool available(Device device) { return !why_unavailable(device); }
  // One line that says why Stream::of would not succeed; nothing when it would.
  static std::optional<std::string> why_unavailable(Device);
  // Which of the machine's GPUs Device::cuda is, counted as the driver counts them; 0 at first. Throws Error
  // once that device is in use as another.
  static void choose_gpu(int index);

  virtual Device device() const = 0;
  // For people: "cpu", "cuda:0 (NVIDIA H200)".
  virtual std::string description() const = 0;
  // Whether it computes with bfloat16: GPUs of compute capability 8.0 and newer do.
  virtual bool has_bfloat16() const = 0;

  // At least `bytes` bytes, aligned to 64, uninitialised. Work submitted earlier may still use a released block: reuse
  // is ordered by the stream. Throws OutOfMemory, which names the request, what is in use and what is free.
  virtual void* allocate(size_t bytes) = 0;
  virtual void release(void*) noexcept = 0;

  // Scratch memory valid until the next call of workspace on this stream.
  virtual void* workspace(size_t bytes) = 0;

  // Copies in stream order. Either side may be host memory; a copy to the host is complete on return, and after one
  // from the host the source may be changed.
  virtual void copy(void* to, const void* from, size_t bytes) = 0;
  virtual void zero(void* to, size_t bytes) = 0;
  virtual std::unique_ptr<Readback> make_readback(size_t bytes) = 0;

  // Waits for all submitted work and throws its pending error, if any.
  virtual void synchronize() = 0;

  virtual MemoryUse memory() const = 0;
  virtual void reset_peak() = 0;

  // Starts and ends what `nsys profile --capture-range cudaProfilerApi` and `ncu --profile-from-start off` look at.
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

// Names a piece of work for the profiler while in scope.
class ProfilerRange {
 public:
  ProfilerRange(Stream& stream, const char* name) : stream_(stream) { stream_.begin_range(name); }
  ~ProfilerRange() { stream_.end_range(); }
  ProfilerRange(const ProfilerRange&) = delete;
  ProfilerRange& operator=(const ProfilerRange&) = delete;

 private:
  Stream& stream_;
};

}  // namespace melgrad
