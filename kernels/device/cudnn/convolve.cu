// Convolutions on a GPU by cuDNN. The first call for a shape measures execution plans and keeps the fastest.
//
// Memory traffic: depends on the chosen plan. It is at least x, w and y once each, 4 bytes per element in float32 and 2
// in 16 bits. The workspace of the plan adds to it.
//
// Measuring avoids the slow kernels that cuDNN's heuristics sometimes rank first.
#include <limits>

#include "kernels/device/cache_folder.h"
#include "kernels/device/cuda_owners.cuh"
#include "kernels/device/cudnn/plan_cache.cuh"
#include "kernels/device/deterministic.h"
#include "kernels/device/scratch.h"

namespace melgrad::kernel::cuda {
namespace {

using cudnn::Descriptor;
using cudnn::ExecutionPlan;

void memory_check(cudnnStatus_t status, const char* what) {
  if (status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED) {
    throw_out_of_memory(cudnn::explain(status, what));
  }
}

// Throws DeviceError unless the status is success: for calls that fail only if the device fails.
void device_check(cudnnStatus_t status, const char* what) {
  memory_check(status, what);
  if (status != CUDNN_STATUS_SUCCESS) throw DeviceError(cudnn::explain(status, what));
}

using Handle = Owned<cudnnHandle_t, cudnnDestroy>;

Handle make_handle(Stream& stream) {
  cudnnHandle_t created = nullptr;
  device_check(cudnnCreate(&created), "cudnnCreate");
  Handle handle(created);
  device_check(cudnnSetStream(created, native_stream(stream)), "cudnnSetStream");
  return handle;
}

std::string chip_name() {
  int device = 0;
  cudaDeviceProp properties{};
  cuda_check(cudaGetDevice(&device), "cudaGetDevice");
  cuda_check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  return properties.name;
}

std::filesystem::path plan_file_path() {
  const auto folder = default_cache_folder();
  return folder.empty() ? folder : folder / "cudnn_plans.json";
}

// A CUDA event that measures time.
class TimingEvent {
 public:
  void record(Stream& stream) { cuda_check(cudaEventRecord(event_.get(), native_stream(stream)), "cudaEventRecord"); }
  float milliseconds_since(const TimingEvent& start) const {
    float milliseconds = 0;
    cuda_check(cudaEventSynchronize(event_.get()), "cudaEventSynchronize");
    cuda_check(cudaEventElapsedTime(&milliseconds, start.event_.get(), event_.get()), "cudaEventElapsedTime");
    return milliseconds;
  }

 private:
  OwnedEvent event_ = make_event(cudaEventDefault);
};

// The memory of x, w and y. cuDNN takes it without const, because it writes one of them.
struct Operands {
  const void *x, *w, *y;

  Descriptor with_workspace(void* workspace) const {
    Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, std::vector<int64_t>{cudnn::id_x, cudnn::id_w, cudnn::id_y});
    pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS,
             std::vector<void*>{const_cast<void*>(x), const_cast<void*>(w), const_cast<void*>(y)});
    pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace);
    pack.finalize("cuDNN variant pack");
    return pack;
  }
};

class Convolver {
 public:
  explicit Convolver(Stream& stream)
      : stream_(stream),
        handle_(make_handle(stream)),
        plans_(cudnn::Target(handle_.get()), chip_name(), cudnn::PlanFile(plan_file_path())) {}

  void run(const Convolution& convolution, const Operands& operands) {
    const ExecutionPlan& plan = plan_for(convolution, operands);
    void* const workspace = plan.workspace_bytes > 0 ? stream_.workspace(plan.workspace_bytes) : nullptr;
    device_check(execute(plan, operands.with_workspace(workspace)), current_range(stream_));
  }

 private:
  const ExecutionPlan& plan_for(const Convolution& convolution, const Operands& operands) {
    if (const ExecutionPlan* const found = plans_.find(convolution, deterministic())) return *found;
    refuse_capture(convolution);
    return plans_.choose(convolution, deterministic(), [&](const ExecutionPlan& plan) {
      try {
        return measure(plan, operands);
      } catch (const Error&) {
        stream_.synchronize();  // throws DeviceError if the device failed rather than the plan
        throw;
      }
    });
  }

  // Returns the time of the fastest of a few runs in milliseconds. Each run writes the output.
  float measure(const ExecutionPlan& plan, const Operands& operands) {
    constexpr int runs = 5;
    // Not the stream's workspace, because that would keep the size of the largest plan that was measured.
    const Scratch workspace(stream_, plan.workspace_bytes);
    const Descriptor pack = operands.with_workspace(workspace.get());
    const auto run_once = [&] {
      const cudnnStatus_t status = execute(plan, pack);
      memory_check(status, "cudnnBackendExecute");
      cudnn::check(status, "cudnnBackendExecute");
    };
    run_once();  // loads the kernels
    float best = std::numeric_limits<float>::infinity();
    for (int i = 0; i < runs; ++i) {
      TimingEvent start, stop;
      start.record(stream_);
      run_once();
      stop.record(stream_);
      best = std::min(best, stop.milliseconds_since(start));
    }
    return best;
  }

  cudnnStatus_t execute(const ExecutionPlan& plan, const Descriptor& pack) const {
    return cudnnBackendExecute(handle_.get(), plan.descriptor.raw(), pack.raw());
  }

  void refuse_capture(const Convolution& convolution) const {
    auto status = cudaStreamCaptureStatusNone;
    cuda_check(cudaStreamIsCapturing(native_stream(stream_), &status), "cudaStreamIsCapturing");
    MELGRAD_CHECK(status == cudaStreamCaptureStatusNone,
                  "a CUDA graph capture contains a new convolution, {}; run the step once before capturing it",
                  describe(convolution));
  }

  Stream& stream_;
  Handle handle_;
  cudnn::PlanCache plans_;
};

}  // namespace

void convolve(Stream& stream, const Convolution& convolution, const void* x, const void* w, const void* y) {
  // Never destroyed, because the driver may shut down before the last destructor runs.
  static auto& convolver = *new Convolver(stream);
  Convolution any_batch = convolution;
  any_batch.conv.independent_images = false;  // cuDNN's plans are the same for training and evaluation
  convolver.run(any_batch, {x, w, y});
}

}  // namespace melgrad::kernel::cuda
