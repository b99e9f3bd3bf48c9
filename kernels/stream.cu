// The CUDA device's stream: work is queued and done in order, while the host goes on.
#include <algorithm>
#include <array>

#include "kernels/caching_allocator.h"
#include "kernels/cuda.cuh"

#if !MELGRAD_EMULATED
#include <nvtx3/nvToolsExt.h>
#endif

namespace melgrad {
namespace {

// What a GPU and its stand-in do not share: names for the profiler, and a checker that watches the allocator.
#if MELGRAD_EMULATED
void push_range(const char*) {}
void pop_range() {}
void block_acquired(void* block, size_t requested, size_t) noexcept {
  emulated_cuda::lend_device_memory(block, requested);
}
void block_released(void* block, size_t) noexcept { emulated_cuda::hide_device_memory(block); }
void block_kept_until_exit(void* block) { emulated_cuda::mark_permanent(block); }
#else
void push_range(const char* name) { nvtxRangePushA(name); }
void pop_range() { nvtxRangePop(); }
void block_acquired(void*, size_t, size_t) noexcept {}
void block_released(void*, size_t) noexcept {}
void block_kept_until_exit(void*) {}
#endif

void* acquire_block(size_t bytes) {
  void* block = nullptr;
  const cudaError_t status = cudaMalloc(&block, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // the allocator handles it; it must not show up as the next launch's error
    return nullptr;
  }
  cuda_check(status, "cudaMalloc");
  return block;
}

void give_back_block(void* block) noexcept { cudaFree(block); }

class CudaStream final : public Stream {
 public:
  CudaStream() { cuda_check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate"); }

  Device device() const override { return Device::cuda; }
  void* allocate(size_t bytes) override { return allocator_.allocate(bytes); }
  void release(void* block) noexcept override { allocator_.release(block); }

  void* workspace(size_t bytes) override {
    if (bytes > workspace_bytes_ || !workspace_) {
      allocator_.release(workspace_);
      workspace_ = nullptr;
      workspace_bytes_ = 0;
      workspace_ = allocator_.allocate(bytes);
      workspace_bytes_ = bytes;
      block_kept_until_exit(workspace_);
    }
    block_acquired(workspace_, bytes, workspace_bytes_);  // what the last user left is not for the next
    return workspace_;
  }

  void copy(void* to, const void* from, size_t bytes) override {
    if (bytes == 0) return;
    cuda_check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_), "cudaMemcpyAsync");
    cudaPointerAttributes target{};
    cuda_check(cudaPointerGetAttributes(&target, to), "cudaPointerGetAttributes");
    if (target.type != cudaMemoryTypeDevice) synchronize();
  }

  void zero(void* to, size_t bytes) override {
    if (bytes > 0) cuda_check(cudaMemsetAsync(to, 0, bytes, stream_), "cudaMemsetAsync");
  }

  void synchronize() override { cuda_check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

  Memory memory() const override { return allocator_.memory(); }
  void reset_peak() override { allocator_.reset_peak(); }

  void begin_range(const char* name) noexcept override {
    if (depth_ < ranges_.size()) ranges_[depth_] = name;
    ++depth_;
    push_range(name);
  }
  void end_range() noexcept override {
    --depth_;
    pop_range();
  }

  const char* current_range() const { return depth_ == 0 ? "kernel" : ranges_[std::min(depth_, ranges_.size()) - 1]; }
  cudaStream_t native() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
  CachingAllocator allocator_{
      {.acquire = acquire_block, .give_back = give_back_block, .acquired = block_acquired, .released = block_released},
      "cuda"};
  void* workspace_ = nullptr;
  size_t workspace_bytes_ = 0;
  std::array<const char*, 16> ranges_{};  // the outermost; deeper ones go by the name of the last
  size_t depth_ = 0;
};

// Null when the machine has a device, else why it has none.
const char* why_unavailable() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) {
    cudaGetLastError();
    return cudaGetErrorString(status);
  }
  return count > 0 ? nullptr : "the driver reports none";
}

CudaStream& the_stream() {
  // Never destroyed: tensors in static storage may outlive any order of destruction.
  static auto& stream = []() -> CudaStream& {
    if (const char* reason = why_unavailable()) fail("no CUDA device: {}; use --device cpu", reason);
    return *new CudaStream;
  }();
  return stream;
}

CudaStream& as_cuda(Stream& stream) {
  MELGRAD_CHECK(stream.device() == Device::cuda, "a CUDA kernel was given a stream of the {}",
                name_of(stream.device()));
  return static_cast<CudaStream&>(stream);
}

}  // namespace

Stream& cuda_stream() { return the_stream(); }
bool cuda_stream_available() { return why_unavailable() == nullptr; }

cudaStream_t native_stream(Stream& stream) { return as_cuda(stream).native(); }
const char* current_range(Stream& stream) { return as_cuda(stream).current_range(); }

}  // namespace melgrad
