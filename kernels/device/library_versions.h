// The versions of libraries as they are at run time, which a distribution may have renewed since the build.
#pragma once

#include <string>
#include <vector>

namespace melgrad {

struct LibraryVersion {
  std::string name, version;
};

// Of the libraries that the kernels call; those of CUDA in builds for GPUs.
std::vector<LibraryVersion> kernel_library_versions();

}  // namespace melgrad
