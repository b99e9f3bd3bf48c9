// Batches of Fourier transforms of real signals, by cuFFT in double precision (kernels/fft.h says why).
#pragma once

#include <map>
#include <mutex>
#include <utility>

#include "kernels/device/cuda.cuh"

#if MELGRAD_EMULATED
#include "kernels/device/emulated/libraries/cufft.h"
#else
#include <cufft.h>
#endif

namespace melgrad::kernel::cuda {

// A batch is [batch, 2 * bins] doubles with bins = length / 2 + 1. Each row begins with a signal of `length` samples
// and is overwritten by its `bins` complex numbers.
//
// Memory traffic per signal: at least 16 * length bytes (read and written once).
class BatchedFft {
 public:
  // The transform of a length and a batch size. It is made once per process, because making a cuFFT plan takes
  // milliseconds.
  static const BatchedFft& of(int64_t length, int64_t batch) {
    static std::mutex mutex;
    static auto& plans = *new std::map<std::pair<int64_t, int64_t>, BatchedFft>;
    const std::lock_guard lock(mutex);
    return plans.try_emplace({length, batch}, length, batch).first->second;
  }

  BatchedFft(int64_t length, int64_t batch) {
    auto n = static_cast<int>(length), bins = n / 2 + 1, row = 2 * bins;
    // The work area comes from the stream: cuFFT would allocate its own outside the allocator.
    check(cufftSetAutoAllocation(plan_.handle, 0), "cufftSetAutoAllocation");
    check(cufftMakePlanMany(plan_.handle, 1, &n, &row, 1, row, &bins, 1, bins, CUFFT_D2Z, static_cast<int>(batch),
                            &work_bytes_),
          "cufftMakePlanMany");
  }

  size_t work_bytes() const { return work_bytes_; }

  // `work` has work_bytes() bytes and is aligned to 256.
  void forward(Stream& stream, double* rows, void* work) const {
    check(cufftSetStream(plan_.handle, native_stream(stream)), "cufftSetStream");
    check(cufftSetWorkArea(plan_.handle, work), "cufftSetWorkArea");
    check(cufftExecD2Z(plan_.handle, rows, reinterpret_cast<cufftDoubleComplex*>(rows)), "cufftExecD2Z");
  }

 private:
  struct FftPlan {
    cufftHandle handle{};
    FftPlan() { check(cufftCreate(&handle), "cufftCreate"); }
    ~FftPlan() { cufftDestroy(handle); }
    FftPlan(const FftPlan&) = delete;
    FftPlan& operator=(const FftPlan&) = delete;
  };

  static void check(cufftResult status, const char* what) {
    if (status == CUFFT_ALLOC_FAILED) throw_out_of_memory(what);
    if (status != CUFFT_SUCCESS) {
      throw DeviceError(fmt::format("{}: cuFFT error {}", what, static_cast<int>(status)));
    }
  }

  FftPlan plan_;
  size_t work_bytes_ = 0;
};

}  // namespace melgrad::kernel::cuda
