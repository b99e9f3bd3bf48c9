// One name, two implementations, and the one place that chooses between them.
//
//   KERNEL(relu_forward, const void* x, void* y, DType dtype, int64_t n)
//
// declares kernel::cpu::relu_forward and, in builds with a CUDA device, kernel::cuda::relu_forward, both taking
// (Stream&, parameters...), and defines the callable kernel::relu_forward that picks one by the stream's device.
// A declared kernel without its .cu is a link error in a CUDA build.
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
  void (*cuda)(Stream&, A...);  // null in builds without a CUDA device, where no stream asks for it

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
