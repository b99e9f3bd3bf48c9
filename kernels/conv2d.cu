// Convolutions by cuDNN, or by its replacement on the emulated device: see kernels/device/convolution.h.
//
// Memory traffic: x, w and y at least once each, 4 bytes per element in float32, 2 in 16-bit types; the true figure
// depends on the execution plan that cuDNN chose. A bias adds a pass over y: 8 or 4 bytes per element.
//
// cuDNN works on NHWC directly, so nothing is transposed. The one-channel stem of a ResNet is folded for tensor cores
// (fold_stride.cuh), which takes two more launches in each pass. The execution plan is the fastest of those measured;
// in deterministic mode it is the first candidate, which is not measured.
#include "kernels/conv2d.h"

#include "kernels/bias.cuh"
#include "kernels/device/convolution.h"
#include "kernels/device/cuda.cuh"
#include "kernels/device/scratch.h"
#include "kernels/device/tf32.h"
#include "kernels/fold_stride.cuh"

namespace melgrad::kernel::cuda {
namespace {

void require_valid(const Convolution& convolution, std::initializer_list<const void*> pointers) {
  constexpr uintptr_t alignment = 16;
  const Conv2d& conv = convolution.conv;
  MELGRAD_CHECK(conv.out_height() > 0 && conv.out_width() > 0, "conv2d {}: the kernel does not fit the padded input",
                describe(convolution));
  for (const void* pointer : pointers) {
    MELGRAD_CHECK(reinterpret_cast<uintptr_t>(pointer) % alignment == 0, "conv2d {}: {} is not aligned to {} bytes",
                  describe(convolution), fmt::ptr(pointer), alignment);
  }
}

template <class T>
void launch_fold_image(Stream& stream, const T* x, T* y, const FoldedStride& fold) {
  const auto blocks = static_cast<unsigned>(ceil_divide<int64_t>(fold.image_elements() / 4, fold_threads));
  const auto kernel = fold.conv.width % 2 == 0 ? fold_image<T, true> : fold_image<T, false>;
  launch(kernel, blocks, fold_threads, 0, stream, x, y, fold);
}

void convolve_folded(Stream& stream, const Convolution& convolution, const void* x, const void* w, const void* y) {
  const FoldedStride fold(convolution.conv);
  const size_t element = size_of(convolution.dtype);
  const Scratch image(stream, fold.image_elements() * element), filters(stream, fold.kernel_elements() * element);
  const Convolution folded{convolution.pass, convolution.dtype, fold.folded, convolution.tf32};
  const auto filter_blocks = static_cast<unsigned>(ceil_divide<int64_t>(fold.kernel_elements(), fold_threads));
  dispatch_type(convolution.dtype, [&]<class T>() {
    launch_fold_image(stream, static_cast<const T*>(x), static_cast<T*>(image.get()), fold);
    if (convolution.pass == ConvolutionPass::forward) {
      launch(fold_kernel<T>, filter_blocks, fold_threads, 0, stream, static_cast<const T*>(w),
             static_cast<T*>(filters.get()), fold);
      convolve(stream, folded, image.get(), filters.get(), y);
    } else {
      convolve(stream, folded, image.get(), filters.get(), y);
      launch(unfold_kernel<T>, filter_blocks, fold_threads, 0, stream, static_cast<const T*>(filters.get()),
             static_cast<T*>(const_cast<void*>(w)), fold);
    }
  });
}

void check_and_convolve(Stream& stream, ConvolutionPass pass, DType dtype, const Conv2d& conv, const void* x,
                        const void* w, const void* y) {
  const Convolution convolution{pass, dtype, conv, dtype == DType::float32 && tf32()};
  require_valid(convolution, {x, w, y});
  if (pass != ConvolutionPass::backward_data && FoldedStride::pays(convolution)) {
    convolve_folded(stream, convolution, x, w, y);
  } else {
    convolve(stream, convolution, x, w, y);
  }
}

}  // namespace

void conv2d_forward(Stream& stream, const void* x, const void* w, const float* bias, void* y, DType dtype,
                    Conv2d conv) {
  check_and_convolve(stream, ConvolutionPass::forward, dtype, conv, x, w, y);
  launch_add_bias(stream, y, bias, dtype, conv.batch * conv.out_height() * conv.out_width(), conv.out_channels);
}

void conv2d_backward_data(Stream& stream, const void* dy, const void* w, void* dx, DType dtype, Conv2d conv) {
  check_and_convolve(stream, ConvolutionPass::backward_data, dtype, conv, dx, w, dy);
}

void conv2d_backward_filter(Stream& stream, const void* x, const void* dy, void* dw, DType dtype, Conv2d conv) {
  check_and_convolve(stream, ConvolutionPass::backward_filter, dtype, conv, x, dw, dy);
}

}  // namespace melgrad::kernel::cuda
