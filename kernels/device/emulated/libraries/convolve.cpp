// The replacement of cuDNN: the CPU's convolution on float32 copies of device memory. Sums are float32 and rounded to
// the dtype at the end, as in cuDNN. AddressSanitizer checks the copies, so overruns of device memory are reported.
#include <limits>
#include <vector>

#include "kernels/conv2d.h"
#include "kernels/device/convolution.h"
#include "kernels/device/cuda.cuh"
#include "kernels/device/emulated/device_memory.h"
#include "kernels/device/emulated/libraries/tf32.h"
#include "kernels/device/emulated/observer.h"
#include "kernels/device/low_precision.h"

namespace melgrad::kernel::cuda {
namespace {

void require_device_memory(const void* memory) {
  MELGRAD_CHECK(emulated_cuda::ownership(memory) == emulated_cuda::Ownership::device,
                "conv2d: {} is not usable device memory", fmt::ptr(memory));
}

// A float32 copy of a tensor in device memory; NaN until read() copies it.
class Operand {
 public:
  Operand(const void* memory, int64_t n, const Convolution& convolution)
      : memory_(memory),
        dtype_(convolution.dtype),
        tf32_(convolution.tf32),
        values_(static_cast<size_t>(n), std::numeric_limits<float>::quiet_NaN()) {}

  float* values() { return values_.data(); }
  void read() {
    dispatch_type(dtype_, [this]<class T>() { read_as<T>(); });
  }
  void write() {
    dispatch_type(dtype_, [this]<class T>() { write_as<T>(); });
  }

 private:
  template <class T>
  void read_as() {
    const emulated_cuda::DeviceMemoryScope scope;
    for (size_t i = 0; i < values_.size(); ++i) values_[i] = to_float(static_cast<const T*>(memory_)[i]);
    if (!tf32_) return;
    for (float& value : values_) value = emulated_cuda::round_to_tf32(value);
  }
  template <class T>
  void write_as() {
    const emulated_cuda::DeviceMemoryScope scope;
    auto* const elements = static_cast<T*>(const_cast<void*>(memory_));
    for (size_t i = 0; i < values_.size(); ++i) elements[i] = from_float<T>(values_[i]);
  }

  const void* memory_;
  DType dtype_;
  bool tf32_;
  std::vector<float> values_;
};

void report(const Convolution& convolution, int64_t x, int64_t w, int64_t y) {
  if (!emulated_cuda::observer) return;
  emulated_cuda::observer->library_call(
      fmt::format("conv2d_{}", name_of(convolution.pass)).c_str(), describe(convolution).c_str(),
      2 * static_cast<double>(convolution.conv.multiply_adds()),
      static_cast<double>(size_of(convolution.dtype)) * static_cast<double>(x + w + y));
}

void compute(const Convolution& convolution, Operand in, Operand weights, Operand out) {
  const Conv2d& conv = convolution.conv;
  Stream& stream = Stream::of(Device::cpu);
  switch (convolution.pass) {
    case ConvolutionPass::forward:
      in.read();
      weights.read();
      cpu::conv2d_forward(stream, in.values(), weights.values(), nullptr, out.values(), DType::float32, conv);
      return out.write();
    case ConvolutionPass::backward_data:
      out.read();
      weights.read();
      cpu::conv2d_backward_data(stream, out.values(), weights.values(), in.values(), DType::float32, conv);
      return in.write();
    case ConvolutionPass::backward_filter:
      in.read();
      out.read();
      cpu::conv2d_backward_filter(stream, in.values(), out.values(), weights.values(), DType::float32, conv);
      return weights.write();
  }
}

}  // namespace

void convolve(Stream& stream, const Convolution& convolution, const void* x, const void* w, const void* y) {
  const Conv2d& conv = convolution.conv;
  const int64_t in = conv.batch * conv.height * conv.width * conv.in_channels,
                weights = conv.out_channels * conv.kernel_height * conv.kernel_width * conv.in_channels,
                out = conv.batch * conv.out_height() * conv.out_width() * conv.out_channels;
  for (const void* memory : {x, w, y}) require_device_memory(memory);
  report(convolution, in, weights, out);
  emulated_cuda::enqueue(native_stream(stream), [=] {
    const auto operand = [&](const void* memory, int64_t n) { return Operand(memory, n, convolution); };
    compute(convolution, operand(x, in), operand(w, weights), operand(y, out));
  });
}

}  // namespace melgrad::kernel::cuda
