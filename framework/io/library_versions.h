// The versions of all libraries that the framework and its kernels call.
#pragma once

#include "kernels/device/library_versions.h"

namespace melgrad {

std::vector<LibraryVersion> library_versions();

}  // namespace melgrad
