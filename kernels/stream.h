// A stream is ordered work on one device. It owns that device's memory: a caching allocator whose blocks keep their
// addresses, so that a steady training step allocates nothing, and one workspace that grows to the largest request.
#pragma once

#include <cstddef>
#include <cstdint>

namespace melgrad {

enum class Device : uint8_t { cpu, cuda };

constexpr const char* name_of(Device device) { return device == Device::cpu ? "cpu" : "cuda"; }

class Stream {
 public:
  // The one stream of a device. Throws Error when the build or the machine has no such device.
  static Stream& of(Device);
  // Whether Stream::of would succeed.
  static bool available(Device);

  virtual Device device() const = 0;

  // At least `bytes` bytes, aligned to 64, uninitialised. Work submitted earlier may still use a released block: reuse
  // is ordered by the stream. Throws Error when memory is exhausted, naming the request and what is held.
  virtual void* allocate(size_t bytes) = 0;
  virtual void release(void*) noexcept = 0;

  // Scratch memory valid until the next call of workspace on this stream.
  virtual void* workspace(size_t bytes) = 0;

  // Copies in stream order. Either side may be host memory; a copy to the host is complete on return.
  virtual void copy(void* to, const void* from, size_t bytes) = 0;
  virtual void zero(void* to, size_t bytes) = 0;

  // Waits for all submitted work and throws its pending error, if any.
  virtual void synchronize() = 0;

  // Bytes in use by callers now, and the highest that figure has been since reset_peak. Bytes held from the system
  // include cached blocks.
  struct Memory {
    size_t used = 0, peak = 0, held = 0;
  };
  virtual Memory memory() const = 0;
  virtual void reset_peak() = 0;

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
class Range {
 public:
  Range(Stream& stream, const char* name) : stream_(stream) { stream_.begin_range(name); }
  ~Range() { stream_.end_range(); }
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;

 private:
  Stream& stream_;
};

}  // namespace melgrad
