// Convolutions on a GPU: the plan of a shape is chosen at its first use, by measuring, and kept.
#include <exception>
#include <limits>
#include <map>

#include "kernels/cache_folder.h"
#include "kernels/cuda.cuh"
#include "kernels/cudnn/plan_choice.cuh"
#include "kernels/cudnn/plan_file.cuh"
#include "kernels/deterministic.h"
#include "kernels/note.h"

namespace melgrad::kernel::cuda {
namespace {

using cudnn::Descriptor;
using cudnn::Plan;

constexpr size_t plans_to_measure = 10;

cudnnHandle_t make_handle(Stream& stream) {
  cudnnHandle_t handle = nullptr;
  cudnn::device_check(cudnnCreate(&handle), "cudnnCreate");
  cudnn::device_check(cudnnSetStream(handle, native_stream(stream)), "cudnnSetStream");
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

class Event {
 public:
  Event() { cuda_check(cudaEventCreate(&event_), "cudaEventCreate"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(Stream& stream) { cuda_check(cudaEventRecord(event_, native_stream(stream)), "cudaEventRecord"); }
  float milliseconds_since(const Event& start) const {
    float milliseconds = 0;
    cuda_check(cudaEventSynchronize(event_), "cudaEventSynchronize");
    cuda_check(cudaEventElapsedTime(&milliseconds, start.event_, event_), "cudaEventElapsedTime");
    return milliseconds;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

// A block that tensors may use afterwards, unlike the stream's workspace, which stays as large as the largest plan ever
// measured.
class Scratch {
 public:
  Scratch(Stream& stream, size_t bytes) : stream_(stream), memory_(stream.allocate(bytes)) {}
  ~Scratch() { stream_.release(memory_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  void* get() const { return memory_; }

 private:
  Stream& stream_;
  void* memory_;
};

// The memory of x, w and y, which cuDNN takes without const, as one of them is written.
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
      : stream_(stream), handle_(make_handle(stream)), target_(handle_), chip_(chip_name()), file_(plan_file_path()) {}

  void run(const Convolution& convolution, const Operands& operands) {
    const Plan& plan = plan_for(convolution, operands);
    void* const workspace = plan.workspace_bytes > 0 ? stream_.workspace(plan.workspace_bytes) : nullptr;
    execute(plan, operands.with_workspace(workspace));
  }

 private:
  const Plan& plan_for(const Convolution& convolution, const Operands& operands) {
    const std::pair key{deterministic(), convolution};
    if (const auto found = plans_.find(key); found != plans_.end()) return found->second;
    refuse_capture(convolution);
    // What was measured differs from run to run, so the first that will do is taken where bits must not.
    Plan plan = deterministic() ? std::move(cudnn::candidate_plans(convolution, target_, true, 1).front())
                                : kept_or_measured(convolution, operands);
    return plans_.emplace(key, std::move(plan)).first->second;
  }

  Plan kept_or_measured(const Convolution& convolution, const Operands& operands) {
    const std::string key = cudnn::plan_key(chip_, cudnnGetVersion(), convolution);
    if (const auto kept = file_.find(key)) {
      try {
        return cudnn::plan_of_choice(*kept, convolution, target_);
      } catch (const Error& error) {
        note_on_stderr(fmt::format("a kept plan is replaced, {}: {}", describe(convolution), error.what()));
      }
    }
    Plan plan = fastest(cudnn::candidate_plans(convolution, target_, false, plans_to_measure), convolution, operands);
    file_.put(key, plan.configuration.choice);
    return plan;
  }

  Plan fastest(std::vector<Plan> plans, const Convolution& convolution, const Operands& operands) {
    float best_time = std::numeric_limits<float>::infinity();
    Plan* best = nullptr;
    std::string reason;
    std::exception_ptr no_memory;
    for (Plan& plan : plans) {
      try {
        if (const float time = measure(plan, operands); time < best_time) {
          best_time = time;
          best = &plan;
        }
      } catch (const OutOfMemory&) {
        no_memory = std::current_exception();
      } catch (const Error& error) {
        stream_.synchronize();  // throws where it is the device that failed, not the plan
        reason = error.what();
      }
    }
    if (!best && no_memory) std::rethrow_exception(no_memory);
    if (!best) fail("none of cuDNN's plans runs, {}: {}", describe(convolution), reason);
    return std::move(*best);
  }

  // Milliseconds of the fastest of a few runs, which write the output again and again.
  float measure(const Plan& plan, const Operands& operands) {
    constexpr int runs = 5;
    const Scratch workspace(stream_, plan.workspace_bytes);
    const Descriptor pack = operands.with_workspace(workspace.get());
    execute(plan, pack);  // loads the kernels
    float best = std::numeric_limits<float>::infinity();
    for (int i = 0; i < runs; ++i) {
      Event start, stop;
      start.record(stream_);
      execute(plan, pack);
      stop.record(stream_);
      best = std::min(best, stop.milliseconds_since(start));
    }
    return best;
  }

  void execute(const Plan& plan, const Descriptor& pack) const {
    cudnn::device_check(cudnnBackendExecute(handle_, plan.descriptor.raw(), pack.raw()), current_range(stream_));
  }

  void refuse_capture(const Convolution& convolution) const {
    auto status = cudaStreamCaptureStatusNone;
    cuda_check(cudaStreamIsCapturing(native_stream(stream_), &status), "cudaStreamIsCapturing");
    MELGRAD_CHECK(status == cudaStreamCaptureStatusNone,
                  "a CUDA graph is being captured that holds a convolution never run before, {}; run the step once "
                  "before capturing it",
                  describe(convolution));
  }

  Stream& stream_;
  cudnnHandle_t handle_;
  cudnn::Target target_;
  std::string chip_;
  cudnn::PlanFile file_;
  std::map<std::pair<bool, Convolution>, Plan> plans_;
};

}  // namespace

void convolve(Stream& stream, const Convolution& convolution, const void* x, const void* w, const void* y) {
  // Never destroyed: the driver may be gone before the last destructor runs.
  static auto& convolver = *new Convolver(stream);
  convolver.run(convolution, {x, w, y});
}

}  // namespace melgrad::kernel::cuda
