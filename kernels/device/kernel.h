// KERNEL declares a kernel with its CPU and its CUDA implementation. Calling the kernel is the only place that chooses
// between them.
//
//   KERNEL(relu_forward, const void* x, void* y, DType dtype, int64_t n)
//
// declares kernel::cpu::relu_forward and, in builds with a CUDA device, kernel::cuda::relu_forward, both with
// parameters (Stream&, ...). It defines the callable kernel::relu_forward, which calls one of them by the device of the
// stream, in a profiler range with the name of the kernel. If the .cu is missing, a CUDA build fails to link.
//
// It also declares kernel::cost::relu_forward with the same parameters, which counts the arithmetic and the memory
// traffic of a call for `melgrad profile`. kernels/costs.cpp defines these functions; if one is missing, the program
// fails to link.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

#include "kernels/device/dtype.h"
#include "kernels/device/error.h"
#include "kernels/device/stream.h"

namespace melgrad::kernel {

// The value of a kernel's parameter as text; empty for pointers, and for structs without a describe() beside them.
template <class T>
std::string argument_text(const T& value) {
  if constexpr (std::is_same_v<T, DType>) {
    return name_of(value);
  } else if constexpr (std::is_arithmetic_v<T>) {
    return fmt::format("{}", value);
  } else if constexpr (requires { describe(value); }) {
    return describe(value);
  } else {
    return {};
  }
}

// Pairs the names in `parameters`, such as "const void* x, DType dtype", with the texts of their values. Leaves out
// empty texts.
KernelArguments name_arguments(const char* parameters, const std::vector<std::string>& texts);

template <class... A>
struct Kernel {
  const char* name;
  const char* parameters;  // as declared
  KernelCost (*cost)(Stream&, A...);
  void (*cpu)(Stream&, A...);
  void (*cuda)(Stream&, A...);  // null in builds without a CUDA device

  void operator()(Stream& stream, std::type_identity_t<A>... arguments) const {
    if (profiler::recording.load(std::memory_order_relaxed)) [[unlikely]]
      return run_recorded(stream, arguments...);
    const ProfilerRange range(stream, name, RangeKind::kernel);
    run(stream, arguments...);
  }

 private:
  void run(Stream& stream, A... arguments) const {
    (stream.device() == Device::cpu ? cpu : cuda)(stream, arguments...);
  }
  [[gnu::noinline]] void run_recorded(Stream& stream, A... arguments) const {
    const ProfilerRange range(stream, name,
                              KernelCall{.cost = cost(stream, arguments...),
                                         .arguments = name_arguments(parameters, {argument_text(arguments)...})});
    run(stream, arguments...);
  }
};

template <class... A>
constexpr Kernel<A...> make_kernel(const char* name, const char* parameters, KernelCost (*cost)(Stream&, A...),
                                   void (*cpu)(Stream&, A...), void (*cuda)(Stream&, A...) = nullptr) {
  return {name, parameters, cost, cpu, cuda};
}

}  // namespace melgrad::kernel

#define MELGRAD_DECLARE_KERNEL(name, ...)       \
  namespace cpu {                               \
  void name(Stream& stream, __VA_ARGS__);       \
  }                                             \
  namespace cost {                              \
  KernelCost name(Stream& stream, __VA_ARGS__); \
  }

#if MELGRAD_CUDA
#define KERNEL(name, ...)                   \
  MELGRAD_DECLARE_KERNEL(name, __VA_ARGS__) \
  namespace cuda {                          \
  void name(Stream& stream, __VA_ARGS__);   \
  }                                         \
  inline constexpr auto name = ::melgrad::kernel::make_kernel(#name, #__VA_ARGS__, cost::name, cpu::name, cuda::name);
#else
#define KERNEL(name, ...)                   \
  MELGRAD_DECLARE_KERNEL(name, __VA_ARGS__) \
  inline constexpr auto name = ::melgrad::kernel::make_kernel(#name, #__VA_ARGS__, cost::name, cpu::name);
#endif
