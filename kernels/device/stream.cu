// The stream of the CUDA device: work is queued and executed in order while the host continues. This file launches no
// kernel.
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "kernels/device/caching_allocator.h"
#include "kernels/device/cuda_owners.cuh"
#include "kernels/device/hardware.h"
#include "kernels/device/pinned_cache.cuh"
#include "kernels/device/staging.cuh"

#if !MELGRAD_EMULATED
#include <cuda_profiler_api.h>
#include <nvtx3/nvToolsExt.h>
#endif

namespace melgrad {

std::optional<std::string> why_no_gpu();

namespace {

// The differences between a GPU and the emulated device: profiler ranges, and a checker of allocated memory.
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
    cudaGetLastError();  // the allocator handles it; the next launch must not report it
    return nullptr;
  }
  cuda_check(status, "cudaMalloc");
  return block;
}

void give_back_block(void* block) noexcept { cudaFree(block); }

// Ignores errors: it is called while another error is being reported.
size_t free_bytes() {
  size_t free = 0, total = 0;
  cudaMemGetInfo(&free, &total);
  return free;
}

cudaDeviceProp properties_of(int gpu) {
  cudaDeviceProp properties{};
  cuda_check(cudaGetDeviceProperties(&properties, gpu), "cudaGetDeviceProperties");
  return properties;
}

bool is_device_memory(const void* pointer) {
  cudaPointerAttributes attributes{};
  cuda_check(cudaPointerGetAttributes(&attributes, pointer), "cudaPointerGetAttributes");
  return attributes.type == cudaMemoryTypeDevice;
}

class CudaReadback final : public Readback {
 public:
  CudaReadback(size_t bytes, cudaStream_t stream)
      : stream_(stream), bytes_(bytes), pinned_(make_pinned_memory(bytes)) {}
  ~CudaReadback() override { cudaEventSynchronize(arrived_.get()); }
  CudaReadback(const CudaReadback&) = delete;
  CudaReadback& operator=(const CudaReadback&) = delete;

  void start(const void* from) override {
    cuda_check(cudaMemcpyAsync(pinned_.get(), from, bytes_, cudaMemcpyDefault, stream_), "cudaMemcpyAsync");
    cuda_check(cudaEventRecord(arrived_.get(), stream_), "cudaEventRecord");
  }
  const void* wait() override {
    cuda_check(cudaEventSynchronize(arrived_.get()), "cudaEventSynchronize");
    return pinned_.get();
  }

 private:
  cudaStream_t stream_;
  size_t bytes_;
  PinnedMemory pinned_;
  OwnedEvent arrived_ = make_event(cudaEventDisableTiming);
};

class CudaTimeMark final : public TimeMark {
 public:
  explicit CudaTimeMark(cudaStream_t stream) { cuda_check(cudaEventRecord(event_.get(), stream), "cudaEventRecord"); }
  double seconds_since(const TimeMark& earlier) override {
    float milliseconds = 0;
    cuda_check(cudaEventSynchronize(event_.get()), "cudaEventSynchronize");
    cuda_check(
        cudaEventElapsedTime(&milliseconds, static_cast<const CudaTimeMark&>(earlier).event_.get(), event_.get()),
        "cudaEventElapsedTime");
    return static_cast<double>(milliseconds) / 1e3;
  }

 private:
  OwnedEvent event_ = make_event(cudaEventDefault);
};

// The arrays are first copied within the device, to one block, and from there to pinned memory by a stream of their
// own, beside the kernels of the main stream. If the device has no room for the block, the main stream copies to the
// host.
class CudaArrays final : public ArraysInFlight {
 public:
  // Throws Error if the host cannot page-lock enough memory.
  CudaArrays(std::span<const ArrayBytes> arrays, cudaStream_t stream, cudaStream_t copier, CachingAllocator& allocator,
             PinnedCache& pinned)
      : allocator_(allocator), cache_(pinned) {
    size_t bytes = 0;
    for (const ArrayBytes& array : arrays) {
      parts_.push_back({bytes, array.size});
      bytes += ceil_divide<size_t>(array.size, alignment) * alignment;
    }
    if (bytes == 0) return;
    pinned_ = cache_.take(bytes);
    block_ = allocate_if_there_is_room(bytes);
    char* const target = block_ ? block_ : pinned_.memory.get();
    for (size_t i = 0; i < arrays.size(); ++i) {
      if (arrays[i].size > 0) copy(target + parts_[i].offset, arrays[i].data, arrays[i].size, stream);
    }
    if (block_) {
      cuda_check(cudaEventRecord(taken_.get(), stream), "cudaEventRecord");
      cuda_check(cudaStreamWaitEvent(copier, taken_.get(), 0), "cudaStreamWaitEvent");
      copy(pinned_.memory.get(), block_, bytes, copier);
    }
    cuda_check(cudaEventRecord(arrived_.get(), block_ ? copier : stream), "cudaEventRecord");
  }
  ~CudaArrays() override {
    cudaEventSynchronize(arrived_.get());
    allocator_.release(block_);
    if (pinned_.memory) cache_.give_back(std::move(pinned_));
  }
  CudaArrays(const CudaArrays&) = delete;
  CudaArrays& operator=(const CudaArrays&) = delete;

  bool arrived() override {
    const cudaError_t status = cudaEventQuery(arrived_.get());
    if (status == cudaErrorNotReady) return false;
    cuda_check(status, "cudaEventQuery");
    return true;
  }
  void wait() override {
    cuda_check(cudaEventSynchronize(arrived_.get()), "cudaEventSynchronize");
    allocator_.release(std::exchange(block_, nullptr));
  }
  std::vector<std::byte> take(size_t i) override {
    const auto* const begin = reinterpret_cast<const std::byte*>(pinned_.memory.get()) + parts_[i].offset;
    return {begin, begin + parts_[i].size};
  }

 private:
  static constexpr size_t alignment = 64;
  struct Part {
    size_t offset, size;
  };

  static void copy(void* to, const void* from, size_t bytes, cudaStream_t stream) {
    cuda_check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream), "cudaMemcpyAsync");
  }
  char* allocate_if_there_is_room(size_t bytes) {
    try {
      return static_cast<char*>(allocator_.allocate(bytes));
    } catch (const OutOfMemory&) {
      return nullptr;
    }
  }

  CachingAllocator& allocator_;
  PinnedCache& cache_;
  std::vector<Part> parts_;
  PinnedCache::Block pinned_;
  char* block_ = nullptr;  // null once the copies have arrived
  OwnedEvent taken_ = make_event(cudaEventDisableTiming), arrived_ = make_event(cudaEventDisableTiming);
};

class CudaGraph final : public Graph {
 public:
  CudaGraph(const OwnedGraph& recorded, cudaStream_t stream) : stream_(stream) {
    cudaGraphExec_t executable = nullptr;
    const cudaError_t status = cudaGraphInstantiate(&executable, recorded.get(), 0);
    if (status == cudaErrorMemoryAllocation) throw_out_of_memory("cudaGraphInstantiate");
    cuda_check(status, "cudaGraphInstantiate");
    executable_.reset(executable);
  }
  void launch() override { cuda_check(cudaGraphLaunch(executable_.get(), stream_), "cudaGraphLaunch"); }

 private:
  cudaStream_t stream_;
  OwnedGraphExec executable_;
};

class CudaStream final : public Stream, public GraphRecorder {
 public:
  explicit CudaStream(int index)
      : index_(index),
        properties_(properties_of(index)),
        allocator_({.acquire = acquire_block,
                    .give_back = give_back_block,
                    .free_bytes = free_bytes,
                    .acquired = block_acquired,
                    .released = block_released},
                   description()) {}

  Device device() const override { return Device::cuda; }
  std::string description() const override {
    return fmt::format("{}:{} ({})", name_of(Device::cuda), index_, properties_.name);
  }
  bool has_bfloat16() const override { return properties_.major >= 8; }
  void* allocate(size_t bytes) override {
    try {
      return allocator_.allocate(bytes);
    } catch (const OutOfMemory&) {
      if (recording_ || !make_room_) throw;
    }
    std::exchange(make_room_, nullptr)();
    return allocator_.allocate(bytes);
  }
  void release(void* block) noexcept override { allocator_.release(block); }

  void* workspace(size_t bytes) override {
    if (bytes > workspace_bytes_ || !workspace_) {
      outgrow(workspace_);
      workspace_bytes_ = 0;
      workspace_ = allocate(bytes);
      workspace_bytes_ = bytes;
      block_kept_until_exit(workspace_);
    }
    block_acquired(workspace_, bytes, workspace_bytes_);  // the emulated device fills it with NaN
    return workspace_;
  }

  void copy(void* to, const void* from, size_t bytes) override {
    if (bytes == 0) return;
    const bool to_device = is_device_memory(to);
    const bool upload = to_device && !is_device_memory(from);
    if (recording_ && (upload || !to_device)) {
      throw NotRecordable(fmt::format("{} copies {} the host", current_range(), upload ? "from" : "to"));
    }
    if (upload) return staging_.upload(to, from, bytes, native());
    cuda_check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, native()), "cudaMemcpyAsync");
    if (!to_device) synchronize();
  }

  void zero(void* to, size_t bytes) override {
    if (bytes > 0) cuda_check(cudaMemsetAsync(to, 0, bytes, native()), "cudaMemsetAsync");
  }

  std::unique_ptr<Readback> make_readback(size_t bytes) override {
    return std::make_unique<CudaReadback>(bytes, native());
  }

  std::unique_ptr<ArraysInFlight> send_to_host(std::span<const ArrayBytes> arrays) override {
    return std::make_unique<CudaArrays>(arrays, native(), copier_.get(), allocator_, pinned_);
  }

  void synchronize() override {
    if (recording_) throw NotRecordable(fmt::format("{} waits for the device", current_range()));
    cuda_check(cudaStreamSynchronize(native()), "cudaStreamSynchronize");
  }

  std::unique_ptr<TimeMark> mark_time() override { return std::make_unique<CudaTimeMark>(native()); }

  GraphRecorder* graph_recorder() override { return this; }
  bool recording() const override { return recording_; }

  std::unique_ptr<Graph> record(const std::function<void()>& submit) override {
    MELGRAD_CHECK(uses_graph_memory_, "a graph is recorded outside the memory of graphs");
    cuda_check(cudaStreamBeginCapture(native(), cudaStreamCaptureModeRelaxed), "cudaStreamBeginCapture");
    recording_ = has_graphs_ = true;
    try {
      submit();
    } catch (...) {
      end_recording();
      cudaGetLastError();  // clears the error, so that the next call does not report it again
      throw;
    }
    const OwnedGraph recorded = end_recording();
    if (!recorded) {
      throw NotRecordable(fmt::format("a library does not allow it: {}", cudaGetErrorString(cudaGetLastError())));
    }
    return std::make_unique<CudaGraph>(recorded, native());
  }

  void use_graph_memory(bool use) override {
    uses_graph_memory_ = use;
    allocator_.allocate_for_graphs(use);
  }

  void release_graph_memory() override {
    for (void* block : std::exchange(outgrown_, {})) allocator_.release(block);
    has_graphs_ = false;
    allocator_.release_graph_memory();
  }

  void when_memory_is_short(std::function<void()> make_room) override { make_room_ = std::move(make_room); }

  MemoryUse memory() const override { return allocator_.memory(); }
  void reset_peak() override { allocator_.reset_peak(); }

  void capture_profile(bool on) override {
    synchronize();  // so that the range contains all of the work submitted in it, and no other
    cuda_check(on ? cudaProfilerStart() : cudaProfilerStop(), "cudaProfiler");
  }
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
  cudaStream_t native() const { return stream_.get(); }
  const cudaDeviceProp& properties() const { return properties_; }
  unsigned* arrival_counters(unsigned count) {
    if (count > arrival_counters_count_) {
      outgrow(arrival_counters_);
      arrival_counters_count_ = std::max(count, 2 * arrival_counters_count_);
      const size_t bytes = arrival_counters_count_ * sizeof(unsigned);
      arrival_counters_ = static_cast<unsigned*>(allocate(bytes));
      block_kept_until_exit(arrival_counters_);
      zero(arrival_counters_, bytes);
    }
    return arrival_counters_;
  }

 private:
  // Releases a block that a larger one replaces. Graphs that were recorded with it still use it.
  template <class T>
  void outgrow(T*& block) {
    if (block && has_graphs_) {
      outgrown_.push_back(block);
    } else {
      allocator_.release(block);
    }
    block = nullptr;
  }

  OwnedGraph end_recording() {
    recording_ = false;
    cudaGraph_t recorded = nullptr;
    cudaStreamEndCapture(native(), &recorded);
    return OwnedGraph(recorded);
  }

  int index_;
  cudaDeviceProp properties_;
  OwnedStream stream_ = make_stream(cudaStreamNonBlocking), copier_ = make_stream(cudaStreamNonBlocking);
  CachingAllocator allocator_;
  Staging staging_;
  PinnedCache pinned_;
  void* workspace_ = nullptr;
  size_t workspace_bytes_ = 0;
  unsigned* arrival_counters_ = nullptr;
  unsigned arrival_counters_count_ = 0;
  std::vector<void*> outgrown_;
  std::function<void()> make_room_;
  bool uses_graph_memory_ = false, recording_ = false, has_graphs_ = false;
  std::array<const char*, 16> ranges_{};  // the outermost 16; deeper ones are reported as the last of these
  size_t depth_ = 0;
};

int chosen_gpu = 0;
const CudaStream* made_stream = nullptr;

CudaStream& the_stream() {
  // Never destroyed, because tensors in static storage release their memory at exit.
  static auto& stream = []() -> CudaStream& {
    if (const auto reason = why_no_gpu()) fail("{}; use --device cpu", *reason);
    cuda_check(cudaSetDevice(chosen_gpu), "cudaSetDevice");
    auto* const made = new CudaStream(chosen_gpu);
    made_stream = made;
    return *made;
  }();
  // The current GPU is a property of the thread.
  thread_local const cudaError_t current = cudaSetDevice(chosen_gpu);
  cuda_check(current, "cudaSetDevice");
  return stream;
}

CudaStream& as_cuda(Stream& stream) {
  MELGRAD_CHECK(stream.device() == Device::cuda, "a CUDA kernel was given a stream of the {}",
                name_of(stream.device()));
  return static_cast<CudaStream&>(stream);
}

}  // namespace

Stream& cuda_stream() { return the_stream(); }

void choose_gpu(int index) {
  if (made_stream && index != chosen_gpu) {
    fail("cuda:{} cannot be used beside cuda:{}: a process works on one GPU", index, chosen_gpu);
  }
  chosen_gpu = index;
}

std::optional<std::string> why_no_gpu() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess) {
    cudaGetLastError();  // clears the error, so that the next call does not report it again
    // The runtime returns the same error for an old driver and for none.
    if (status == cudaErrorInsufficientDriver) return "no CUDA device: the NVIDIA driver is missing or too old";
    return fmt::format("no CUDA device: {}", cudaGetErrorString(status));
  }
  if (count == 0) return "no CUDA device: the driver reports none";
  if (chosen_gpu >= count) {
    return fmt::format("no CUDA device {}: this machine has {}, numbered from 0", chosen_gpu, count);
  }
  return std::nullopt;
}

std::vector<GpuInfo> gpus() {
  std::vector<GpuInfo> result;
  if (why_no_gpu()) return result;
  int count = 0;
  cuda_check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  for (int gpu = 0; gpu < count; ++gpu) {
    const cudaDeviceProp properties = properties_of(gpu);
    result.push_back({.name = properties.name,
                      .compute_capability = fmt::format("{}.{}", properties.major, properties.minor),
                      .memory_bytes = properties.totalGlobalMem});
  }
  return result;
}

void throw_out_of_memory(std::string_view what) {
  cudaGetLastError();  // clears the error, so that the next call does not report it again
  const size_t free = free_bytes();
  const auto [used, peak, held] = made_stream ? made_stream->memory() : MemoryUse{};
  throw OutOfMemory(fmt::format("{}: out of memory on {}: {} in use, {} held, {} free", what,
                                made_stream ? made_stream->description() : name_of(Device::cuda), mebibytes(used),
                                mebibytes(held), mebibytes(free)),
                    held + free);
}

cudaStream_t native_stream(Stream& stream) { return as_cuda(stream).native(); }
unsigned* arrival_counters(Stream& stream, unsigned count) { return as_cuda(stream).arrival_counters(count); }
const cudaDeviceProp& properties(Stream& stream) { return as_cuda(stream).properties(); }
const char* current_range(Stream& stream) { return as_cuda(stream).current_range(); }

}  // namespace melgrad
