// The versions of the libraries that the framework and the kernels call.
#pragma once

#include "kernels/device/library_versions.h"

namespace melgrad {

std::vector<LibraryVersion> library_versions();

}  // namespace melgrad
