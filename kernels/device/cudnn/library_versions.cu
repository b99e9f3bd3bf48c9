// The versions of NVIDIA's libraries, none of which needs a GPU to tell.
#include "kernels/device/library_versions.h"

#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <cudnn_backend.h>
#include <cufft.h>
#include <fmt/format.h>

namespace melgrad {
namespace {

// major, minor and patch by a library's own function of that kind.
template <class GetProperty>
std::string version_by(GetProperty get_property) {
  int major = 0, minor = 0, patch = 0;
  get_property(MAJOR_VERSION, &major);
  get_property(MINOR_VERSION, &minor);
  get_property(PATCH_LEVEL, &patch);
  return fmt::format("{}.{}.{}", major, minor, patch);
}

// The runtime and the driver count 13.0 as 13000.
std::string toolkit_version(int number) { return fmt::format("{}.{}", number / 1000, number % 1000 / 10); }

}  // namespace

std::vector<LibraryVersion> cuda_library_versions() {
  int runtime = 0, driver = 0;
  cudaRuntimeGetVersion(&runtime);
  cudaDriverGetVersion(&driver);  // stays 0 where there is no driver
  return {{"CUDA runtime", toolkit_version(runtime)},
          {"CUDA driver", driver == 0 ? "none" : toolkit_version(driver)},
          {"cuDNN", version_by(cudnnGetProperty)},
          {"cuBLAS", version_by(cublasGetProperty)},
          {"cuFFT", version_by(cufftGetProperty)}};
}

}  // namespace melgrad
