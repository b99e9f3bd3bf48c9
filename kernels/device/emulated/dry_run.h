// A dry run: kernels, library calls and copies to the device do nothing, and copies to the host give zeros. Everything
// else is done as always, so the launches, their shapes, the calls of libraries and the memory in use are right for
// batches that are too large to compute without a GPU.
#pragma once

namespace emulated_cuda {

// True if the environment variable MELGRAD_EMULATED_DRY_RUN is set.
bool is_dry_run();

}  // namespace emulated_cuda
