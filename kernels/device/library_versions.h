// The versions of the libraries in use at run time. They may differ from those at build time.
#pragma once

#include <string>
#include <vector>

namespace melgrad {

struct LibraryVersion {
  std::string name, version;
};

// The libraries that the kernels call; in builds for GPUs, those of CUDA too.
std::vector<LibraryVersion> kernel_library_versions();

}  // namespace melgrad
