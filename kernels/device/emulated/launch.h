// Launches: the blocks of the grid run one after another, each with its own shared memory. The launch is queued on its
// stream (stream_queue.h).
#pragma once

#include <functional>
#include <type_traits>

#include "kernels/device/emulated/dry_run.h"
#include "kernels/device/emulated/language.h"
#include "kernels/device/emulated/observer.h"
#include "kernels/device/emulated/stream_queue.h"

namespace emulated_cuda {

// As on an A100; GPUs of compute capability 7.5 have 64 KiB. A kernel that may need more asks properties() first.
constexpr size_t largest_shared_bytes = 163 << 10;

struct Grid {
  const char* name;  // every error message begins with it
  const void* kernel;
  dim3 blocks, threads;
  size_t shared_bytes;
};

// Throws melgrad::Error if no GPU could launch the grid.
void require_valid(const Grid&);
// Tells the observer of a grid that is not run.
void announce(const Grid&);
void run_grid(const Grid&, const std::function<void()>& thread);

// Throws melgrad::Error unless `pointer` is null or points into usable device memory.
void require_device_pointer(const char* name, int position, const void* pointer);

// Does not check pointers inside structs; AddressSanitizer reports their invalid use.
template <class T>
void check_argument([[maybe_unused]] const char* name, [[maybe_unused]] int position,
                    [[maybe_unused]] const T& argument) {
  if constexpr (std::is_pointer_v<T>) require_device_pointer(name, position, argument);
}

template <class T>
void announce_argument([[maybe_unused]] int position, [[maybe_unused]] const T& argument) {
  if constexpr (std::is_pointer_v<T>) observer->argument(position, argument);
}

template <class... P>
void launch(const char* name, void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream,
            std::type_identity_t<P>... arguments) {
  [[maybe_unused]] int position = 0;
  (check_argument(name, ++position, arguments), ...);
  const Grid shape{name, reinterpret_cast<const void*>(kernel), grid, block, shared_bytes};
  require_valid(shape);
  if (is_dry_run()) return announce(shape);
  enqueue(stream, [=] {
    [[maybe_unused]] int announced = 0;
    if (observer) (announce_argument(++announced, arguments), ...);
    run_grid(shape, [&] { kernel(arguments...); });
  });
}

}  // namespace emulated_cuda
