#include "kernels/device/library_versions.h"

#include <fmt/format.h>

#include <dnnl.hpp>

namespace melgrad {

#if MELGRAD_CUDA && !MELGRAD_EMULATED
std::vector<LibraryVersion> cuda_library_versions();  // cudnn/library_versions.cu
#endif

std::vector<LibraryVersion> kernel_library_versions() {
  const dnnl_version_t* dnnl = dnnl_version();
  std::vector<LibraryVersion> versions{{"oneDNN", fmt::format("{}.{}.{}", dnnl->major, dnnl->minor, dnnl->patch)}};
#if MELGRAD_CUDA && !MELGRAD_EMULATED
  for (LibraryVersion& library : cuda_library_versions()) versions.push_back(std::move(library));
#endif
  return versions;
}

}  // namespace melgrad
