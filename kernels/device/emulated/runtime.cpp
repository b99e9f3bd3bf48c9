#include "kernels/device/emulated/runtime.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "kernels/device/emulated/device_memory.h"
#include "kernels/device/emulated/dry_run.h"
#include "kernels/device/emulated/launch.h"
#include "kernels/device/emulated/observer.h"

#if MELGRAD_METER
#include "kernels/device/emulated/meter/meter.h"
#endif

struct EmulatedGraph {
  std::vector<emulated_cuda::Work> works;
};
struct EmulatedGraphExec {
  std::vector<emulated_cuda::Work> works;
};
struct EmulatedEvent {
  using Clock = std::chrono::steady_clock;
  cudaStream_t stream = nullptr;
  uint64_t position = 0;                       // the work submitted to the stream before the event
  std::shared_ptr<Clock::time_point> reached;  // null without timing; the queue writes it, even after the event is gone
};

namespace {

using emulated_cuda::DeviceMemoryScope;
using emulated_cuda::observer;
using emulated_cuda::Ownership;
using emulated_cuda::RuntimeCall;

cudaError_t last_error = cudaSuccess;
std::atomic<bool> device_is_broken = false;

cudaError_t record(cudaError_t status) {
  if (status != cudaSuccess) last_error = status;
  return status;
}

void observe(RuntimeCall call, size_t bytes = 0) {
  if (observer) observer->runtime_call(call, bytes);
}

struct PinnedBlocks {
  std::mutex mutex;
  std::map<const char*, size_t> bytes;  // by first byte
};

PinnedBlocks& pinned_blocks() {
  static auto& value = *new PinnedBlocks;
  return value;
}

bool is_pinned(const void* pointer) {
  const std::lock_guard lock(pinned_blocks().mutex);
  const auto& blocks = pinned_blocks().bytes;
  auto next = blocks.upper_bound(static_cast<const char*>(pointer));
  if (next == blocks.begin()) return false;
  --next;
  return static_cast<const char*>(pointer) < next->first + next->second;
}

bool on_host(const void* pointer) { return emulated_cuda::ownership(pointer) == Ownership::host; }

void copy_now(void* to, const void* from, size_t bytes) {
  const DeviceMemoryScope accessible;
  std::memcpy(to, from, bytes);
}

bool released(const void* pointer) { return emulated_cuda::ownership(pointer) == Ownership::hidden; }

}  // namespace

const char* cudaGetErrorString(cudaError_t status) {
  switch (status) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInsufficientDriver:
      return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorNotReady:
      return "device not ready";
    case cudaErrorLaunchFailure:
      return "unspecified launch failure";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
  }
  return "unrecognized error code";
}

cudaError_t cudaGetLastError() {
  const cudaError_t status = last_error;
  last_error = cudaSuccess;
  return status;
}

cudaError_t cudaPeekAtLastError() { return last_error; }

cudaError_t cudaGetDeviceCount(int* count) {
#if MELGRAD_METER
  static const bool started = (emulated_cuda::start_meter_by_environment(), true);
  static_cast<void>(started);
#endif
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int index) { return record(index == 0 ? cudaSuccess : cudaErrorInvalidDevice); }

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int index) {
  if (index != 0) return record(cudaErrorInvalidDevice);
  // All but the memory is as on an A100, with few multiprocessors, so that a block has much to do.
  *properties = {.name = "emulated",
                 .major = 8,
                 .minor = 0,
                 .totalGlobalMem = emulated_cuda::device_memory_limit(),
                 .l2CacheSize = 40 << 20,
                 .multiProcessorCount = 2,
                 .maxThreadsPerMultiProcessor = 2048,
                 .sharedMemPerBlockOptin = emulated_cuda::largest_shared_bytes,
                 .sharedMemPerMultiprocessor = 164 << 10,
                 .reservedSharedMemPerBlock = 1 << 10};
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *total = emulated_cuda::device_memory_limit();
  *free = *total - emulated_cuda::device_memory_used();
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  const bool host = emulated_cuda::ownership(pointer) == Ownership::host;
  attributes->type = host ? cudaMemoryTypeUnregistered : cudaMemoryTypeDevice;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** block, size_t bytes) {
  observe(RuntimeCall::allocation, bytes);
  *block = emulated_cuda::allocate_device_memory(bytes);
  return record(*block ? cudaSuccess : cudaErrorMemoryAllocation);
}

cudaError_t cudaFree(void* block) {
  emulated_cuda::run_all_queued();
  return record(!block || emulated_cuda::free_device_memory(block) ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaMallocHost(void** block, size_t bytes) {
  *block = std::malloc(bytes);
  if (!*block) return record(cudaErrorMemoryAllocation);
  std::memset(*block, 0xff, bytes);  // NaN: what is read before it arrives
  const std::lock_guard lock(pinned_blocks().mutex);
  pinned_blocks().bytes[static_cast<const char*>(*block)] = bytes;
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* block) {
  const std::lock_guard lock(pinned_blocks().mutex);
  pinned_blocks().bytes.erase(static_cast<const char*>(block));
  std::free(block);
  return cudaSuccess;
}

// As in the toolkit's "API synchronization behavior": a copy from pageable memory has read it when the call returns,
// and a copy to pageable memory is complete.
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  if (device_is_broken) return record(cudaErrorLaunchFailure);
  if (released(to) || released(from)) return record(cudaErrorInvalidValue);
  const bool to_host = on_host(to), from_host = on_host(from);
  observe(to_host ? RuntimeCall::readback : from_host ? RuntimeCall::upload : RuntimeCall::device_copy, bytes);
  if (emulated_cuda::is_dry_run() && to_host) std::memset(to, 0, bytes);
  if (bytes == 0 || emulated_cuda::is_dry_run()) return cudaSuccess;
  if (from_host && !is_pinned(from)) {
    const auto* const begin = static_cast<const char*>(from);
    emulated_cuda::enqueue(
        stream, [to, staged = std::vector(begin, begin + bytes)] { copy_now(to, staged.data(), staged.size()); });
  } else {
    emulated_cuda::enqueue(stream, [=] { copy_now(to, from, bytes); });
  }
  if (to_host && !is_pinned(to)) emulated_cuda::run_queued(stream);
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* to, int byte, size_t bytes, cudaStream_t stream) {
  if (emulated_cuda::ownership(to) != Ownership::device) return record(cudaErrorInvalidValue);
  observe(RuntimeCall::fill, bytes);
  emulated_cuda::enqueue(stream, [=] {
    const DeviceMemoryScope accessible;
    std::memset(to, byte, bytes);
  });
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = emulated_cuda::make_stream();
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  emulated_cuda::destroy_stream(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  emulated_cuda::begin_recording(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = new EmulatedGraph{emulated_cuda::end_recording(stream)};
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  *executable = new EmulatedGraphExec{graph->works};
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  if (device_is_broken) return record(cudaErrorLaunchFailure);
  observe(RuntimeCall::graph_launch);
  for (const emulated_cuda::Work& work : executable->works) emulated_cuda::enqueue(stream, work);
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (emulated_cuda::is_recording(stream)) return record(cudaErrorStreamCaptureUnsupported);
  observe(RuntimeCall::synchronisation);
  emulated_cuda::run_queued(stream);
  return record(device_is_broken ? cudaErrorLaunchFailure : cudaSuccess);
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (!event->stream) return cudaSuccess;
  emulated_cuda::enqueue(stream, [at = *event] { emulated_cuda::run_queued(at.stream, at.position); });
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  *event = new EmulatedEvent;
  if (flags != cudaEventDisableTiming) (*event)->reached = std::make_shared<EmulatedEvent::Clock::time_point>();
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (event->reached) {
    emulated_cuda::enqueue(stream, [reached = event->reached] { *reached = EmulatedEvent::Clock::now(); });
  }
  event->stream = stream;
  event->position = emulated_cuda::submitted(stream);
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (event->stream) emulated_cuda::run_queued(event->stream, event->position);
  return cudaSuccess;
}

// A query may find the work done at any time. Here it always does.
cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (device_is_broken) return record(cudaErrorLaunchFailure);
  return cudaEventSynchronize(event);
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  cudaEventSynchronize(end);
  *milliseconds = std::chrono::duration<float, std::milli>(*end->reached - *start->reached).count();
  return cudaSuccess;
}

void emulated_cuda::set_device_broken(bool broken) { device_is_broken = broken; }
