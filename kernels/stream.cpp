// The CPU's stream: work is complete when the call returns.
#include "kernels/stream.h"

#include <cstdlib>
#include <cstring>

#include "kernels/caching_allocator.h"
#include "kernels/error.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace melgrad {
namespace {

void mark_acquired([[maybe_unused]] void* block, [[maybe_unused]] size_t requested,
                   [[maybe_unused]] size_t capacity) noexcept {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(block, requested);
  __asan_poison_memory_region(static_cast<char*>(block) + requested, capacity - requested);
#endif
}

void mark_released([[maybe_unused]] void* block, [[maybe_unused]] size_t capacity) noexcept {
#if defined(__SANITIZE_ADDRESS__)
  __asan_poison_memory_region(block, capacity);
#endif
}

class CpuStream final : public Stream {
 public:
  Device device() const override { return Device::cpu; }
  void* allocate(size_t bytes) override { return allocator_.allocate(bytes); }
  void release(void* block) noexcept override { allocator_.release(block); }

  void* workspace(size_t bytes) override {
    if (bytes > workspace_bytes_) {
      allocator_.release(workspace_);
      workspace_ = nullptr;
      workspace_bytes_ = 0;
      workspace_ = allocator_.allocate(bytes);
      workspace_bytes_ = bytes;
    }
    return workspace_;
  }

  void copy(void* to, const void* from, size_t bytes) override {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
  void zero(void* to, size_t bytes) override {
    if (bytes > 0) std::memset(to, 0, bytes);
  }
  void synchronize() override {}
  Memory memory() const override { return allocator_.memory(); }
  void reset_peak() override { allocator_.reset_peak(); }
  void begin_range(const char*) noexcept override {}
  void end_range() noexcept override {}

 private:
  CachingAllocator allocator_{{.acquire = [](size_t bytes) { return std::aligned_alloc(64, bytes); },
                               .give_back = [](void* block) noexcept { std::free(block); },
                               .acquired = mark_acquired,
                               .released = mark_released},
                              "cpu"};
  void* workspace_ = nullptr;
  size_t workspace_bytes_ = 0;
};

}  // namespace

#if MELGRAD_CUDA
Stream& cuda_stream();         // stream.cu
bool cuda_stream_available();  // stream.cu
#else
static Stream& cuda_stream() { fail("this build has no CUDA device; build the preset cuda, or use --device cpu"); }
static bool cuda_stream_available() { return false; }
#endif

Stream& Stream::of(Device device) {
  if (device == Device::cuda) return cuda_stream();
  // Never destroyed: tensors in static storage may outlive any order of destruction.
  static auto& cpu = *new CpuStream;
  return cpu;
}

bool Stream::available(Device device) { return device == Device::cpu || cuda_stream_available(); }

}  // namespace melgrad
