// The versions of NVIDIA's libraries; reading them needs no GPU. This file launches no kernel.
#include "kernels/device/library_versions.h"

#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <cudnn_backend.h>
#include <cufft.h>
#include <fmt/format.h>

namespace melgrad {
namespace {

// "major.minor.patch", read by a library's GetProperty function.
template <class GetProperty>
std::string version_by(GetProperty get_property) {
  int major = 0, minor = 0, patch = 0;
  get_property(MAJOR_VERSION, &major);
  get_property(MINOR_VERSION, &minor);
  get_property(PATCH_LEVEL, &patch);
  return fmt::format("{}.{}.{}", major, minor, patch);
}

// The runtime and the driver return 13000 for version 13.0.
std::string toolkit_version(int number) { return fmt::format("{}.{}", number / 1000, number % 1000 / 10); }

}  // namespace

std::vector<LibraryVersion> cuda_library_versions() {
  int runtime = 0, driver = 0;
  cudaRuntimeGetVersion(&runtime);
  cudaDriverGetVersion(&driver);  // stays 0 if there is no driver
  return {{"CUDA runtime", toolkit_version(runtime)},
          {"CUDA driver", driver == 0 ? "none" : toolkit_version(driver)},
          {"cuDNN", version_by(cudnnGetProperty)},
          {"cuBLAS", version_by(cublasGetProperty)},
          {"cuFFT", version_by(cufftGetProperty)}};
}

}  // namespace melgrad
