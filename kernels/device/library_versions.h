// The versions of the libraries in use at run time. They may differ from those at build time.
#pragma once

#include <string>
#include <vector>

namespace melgrad {

struct LibraryVersion {
  std::string name, version;
};

// The libraries that the kernels call. In builds for GPUs they include those of CUDA.
std::vector<LibraryVersion> kernel_library_versions();

}  // namespace melgrad
