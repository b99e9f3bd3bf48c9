#include "kernels/device/emulated/profiler.h"

#include <utility>

#include "kernels/device/emulated/observer.h"

namespace {

bool capturing = false;
std::vector<std::string> captured;

}  // namespace

cudaError_t cudaProfilerStart() {
  capturing = true;
  if (emulated_cuda::observer) emulated_cuda::observer->profile(true);
  return cudaSuccess;
}

cudaError_t cudaProfilerStop() {
  capturing = false;
  if (emulated_cuda::observer) emulated_cuda::observer->profile(false);
  return cudaSuccess;
}

void emulated_cuda::note_launch(const char* name) {
  if (capturing) captured.emplace_back(name);
}

std::vector<std::string> emulated_cuda::take_captured_launches() { return std::exchange(captured, {}); }
