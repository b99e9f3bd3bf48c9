// KERNEL declares a kernel with its CPU and its CUDA implementation. Calling the kernel is the only place that chooses
// between them.
//
//   KERNEL(relu_forward, const void* x, void* y, DType dtype, int64_t n)
//
// declares kernel::cpu::relu_forward and, in builds with a CUDA device, kernel::cuda::relu_forward, both with
// parameters (Stream&, ...). It defines the callable kernel::relu_forward, which calls one of them by the device of the
// stream, in a profiler range with the name of the kernel. If the .cu is missing, a CUDA build fails to link.
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/device/dtype.h"
#include "kernels/device/error.h"
#include "kernels/device/stream.h"

namespace melgrad::kernel {

template <class... A>
struct Kernel {
  const char* name;
  void (*cpu)(Stream&, A...);
  void (*cuda)(Stream&, A...);  // null in builds without a CUDA device

  void operator()(Stream& stream, std::type_identity_t<A>... arguments) const {
    const ProfilerRange range(stream, name);
    (stream.device() == Device::cpu ? cpu : cuda)(stream, arguments...);
  }
};

template <class... A>
constexpr Kernel<A...> make_kernel(const char* name, void (*cpu)(Stream&, A...), void (*cuda)(Stream&, A...)) {
  return {name, cpu, cuda};
}
template <class... A>
constexpr Kernel<A...> make_kernel(const char* name, void (*cpu)(Stream&, A...)) {
  return {name, cpu, nullptr};
}

}  // namespace melgrad::kernel

#if MELGRAD_CUDA
#define KERNEL(name, ...)                 \
  namespace cpu {                         \
  void name(Stream& stream, __VA_ARGS__); \
  }                                       \
  namespace cuda {                        \
  void name(Stream& stream, __VA_ARGS__); \
  }                                       \
  inline constexpr auto name = ::melgrad::kernel::make_kernel(#name, cpu::name, cuda::name);
#else
#define KERNEL(name, ...)                 \
  namespace cpu {                         \
  void name(Stream& stream, __VA_ARGS__); \
  }                                       \
  inline constexpr auto name = ::melgrad::kernel::make_kernel(#name, cpu::name);
#endif
