#include "kernels/device/emulated/libraries/cufft.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "kernels/device/emulated/device_memory.h"
#include "kernels/device/emulated/observer.h"
#include "kernels/device/error.h"
#include "kernels/fft.h"

namespace {

using melgrad::kernel::RealFft;

struct FftPlan {
  bool automatic = true;
  int length = 0, input_distance = 0, output_distance = 0, batch = 0;
  void* work_area = nullptr;
  cudaStream_t stream = nullptr;
};

struct Plans {
  std::mutex mutex;
  std::map<cufftHandle, FftPlan> plans;
  cufftHandle next = 1;
};

// Never destroyed, because plans in static storage are removed from it at exit.
Plans& all() {
  static auto& value = *new Plans;
  return value;
}

// Returns body(plan), or CUFFT_INVALID_PLAN for an unknown handle.
template <class Body>
cufftResult with_plan(cufftHandle handle, Body body) {
  const std::lock_guard lock(all().mutex);
  const auto entry = all().plans.find(handle);
  return entry == all().plans.end() ? CUFFT_INVALID_PLAN : body(entry->second);
}

// The size of the work area in bytes: enough for any plan of this size.
size_t work_bytes(const FftPlan& plan) { return sizeof(cufftDoubleComplex) * plan.batch * plan.length; }

void require_device_memory(const char* what, const void* begin, size_t bytes) {
  for (const char* end : {static_cast<const char*>(begin), static_cast<const char*>(begin) + bytes}) {
    if (emulated_cuda::ownership(end) != emulated_cuda::Ownership::device) {
      melgrad::fail("cufftExecD2Z: {} of {} bytes is not in device memory", what, bytes);
    }
  }
}

void report(const FftPlan& plan) {
  if (!emulated_cuda::observer) return;
  const double n = plan.length, batch = plan.batch, bins = n / 2 + 1;
  emulated_cuda::observer->library_call("fft", fmt::format("{} signals of {}", plan.batch, plan.length).c_str(),
                                        2.5 * batch * n * std::log2(n), batch * (8 * n + 16 * bins));
}

// Transforms signals from `first` on, as many as RealFft takes at a time. All are read before any is written, because
// the transform may be in place.
void transform_some(const FftPlan& plan, const double* input, cufftDoubleComplex* output, int64_t first) {
  const RealFft<double>& fft = melgrad::kernel::real_fft<double>(plan.length);
  const int64_t lanes = fft.lanes(), count = std::min(lanes, plan.batch - first);
  std::vector<double> signals(static_cast<size_t>(fft.length() * lanes));
  for (int64_t lane = 0; lane < count; ++lane) {
    const double* const row = input + (first + lane) * plan.input_distance;
    for (int64_t i = 0; i < fft.length(); ++i) signals[static_cast<size_t>(i * lanes + lane)] = row[i];
  }
  const std::vector<double> spectra = fft.forward(signals);
  for (int64_t lane = 0; lane < count; ++lane) {
    cufftDoubleComplex* const row = output + (first + lane) * plan.output_distance;
    const double* const bins = spectra.data() + lane;
    for (int64_t k = 0; k < fft.bins(); ++k) row[k] = {bins[2 * k * lanes], bins[(2 * k + 1) * lanes]};
  }
}

}  // namespace

cufftResult cufftCreate(cufftHandle* plan) {
  const std::lock_guard lock(all().mutex);
  *plan = all().next++;
  all().plans[*plan] = {};
  return CUFFT_SUCCESS;
}

cufftResult cufftDestroy(cufftHandle plan) {
  const std::lock_guard lock(all().mutex);
  return all().plans.erase(plan) ? CUFFT_SUCCESS : CUFFT_INVALID_PLAN;
}

cufftResult cufftSetAutoAllocation(cufftHandle handle, int automatic) {
  return with_plan(handle, [&](FftPlan& plan) {
    plan.automatic = automatic != 0;
    return CUFFT_SUCCESS;
  });
}

cufftResult cufftMakePlanMany(cufftHandle handle, int rank, int* n, int* inembed, int istride, int idist, int* onembed,
                              int ostride, int odist, cufftType type, int batch, size_t* bytes) {
  return with_plan(handle, [&](FftPlan& plan) {
    if (rank != 1 || !inembed || !onembed || istride != 1 || ostride != 1 || type != CUFFT_D2Z || *n < 2 || batch < 1 ||
        idist < *n || odist < *n / 2 + 1) {
      return CUFFT_INVALID_VALUE;
    }
    if (plan.automatic)
      melgrad::fail(
          "cufftMakePlanMany: cuFFT would allocate its own work area; call cufftSetAutoAllocation(plan, 0) first");
    plan.length = *n;
    plan.input_distance = idist;
    plan.output_distance = odist;
    plan.batch = batch;
    *bytes = work_bytes(plan);
    return CUFFT_SUCCESS;
  });
}

cufftResult cufftSetStream(cufftHandle handle, cudaStream_t stream) {
  return with_plan(handle, [&](FftPlan& plan) {
    plan.stream = stream;
    return CUFFT_SUCCESS;
  });
}

cufftResult cufftSetWorkArea(cufftHandle handle, void* work_area) {
  return with_plan(handle, [&](FftPlan& plan) {
    plan.work_area = work_area;
    return CUFFT_SUCCESS;
  });
}

cufftResult cufftExecD2Z(cufftHandle handle, cufftDoubleReal* input, cufftDoubleComplex* output) {
  return with_plan(handle, [&](const FftPlan& plan) {
    if (plan.batch == 0) return CUFFT_INVALID_PLAN;
    if (!plan.work_area) melgrad::fail("cufftExecD2Z: no work area was set");
    require_device_memory("the work area", plan.work_area, work_bytes(plan));
    require_device_memory("the input", input, sizeof(double) * plan.batch * plan.input_distance);
    require_device_memory("the output", output, sizeof(cufftDoubleComplex) * plan.batch * plan.output_distance);
    report(plan);
    emulated_cuda::enqueue(plan.stream, [=] {
      const emulated_cuda::DeviceMemoryScope accessible;
      std::memset(plan.work_area, 0xff, work_bytes(plan));  // so that an overlap with the data makes the result NaN
      for (int64_t first = 0; first < plan.batch; first += RealFft<double>::lanes()) {
        transform_some(plan, input, output, first);
      }
    });
    return CUFFT_SUCCESS;
  });
}
