// Launches: the blocks of the grid run one after another, each with its own shared memory. A launch is complete when
// the call returns.
#pragma once

#include <functional>
#include <type_traits>

#include "kernels/device/emulated/language.h"
#include "kernels/device/emulated/observer.h"

namespace emulated_cuda {

void run_grid(const char* name, const void* kernel, dim3 grid, dim3 block, size_t shared_bytes,
              const std::function<void()>& thread);

// Throws melgrad::Error unless `pointer` is null or points into usable device memory.
void require_device_pointer(const char* name, int position, const void* pointer);

// Does not check pointers inside structs; AddressSanitizer reports their invalid use.
template <class T>
void check_argument([[maybe_unused]] const char* name, [[maybe_unused]] int position,
                    [[maybe_unused]] const T& argument) {
  if constexpr (std::is_pointer_v<T>) {
    require_device_pointer(name, position, argument);
    if (observer) observer->argument(position, argument);
  }
}

// Runs the kernel. Every error message begins with `name`.
template <class... P>
void launch(const char* name, void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes,
            std::type_identity_t<P>... arguments) {
  [[maybe_unused]] int position = 0;
  (check_argument(name, ++position, arguments), ...);
  run_grid(name, reinterpret_cast<const void*>(kernel), grid, block, shared_bytes, [&] { kernel(arguments...); });
}

}  // namespace emulated_cuda
