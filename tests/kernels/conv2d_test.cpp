#include "kernels/conv2d.h"

#include <tuple>

#include "tests/support/conv2d_shapes.h"
#include "tests/support/expect_error.h"
#include "tests/support/kernel_test.h"
#include "tests/support/reference.h"

namespace melgrad {
namespace {

using kernel::Conv2d;
using reference::DeviceArray;
using reference::expect_close;
using reference::expect_same_bits_at_any_thread_count;
using reference::random_values;
using test::Array;

// The three passes of one convolution on random inputs.
struct Case {
  Conv2d conv;
  std::vector<float> x, w, bias, dy;

  explicit Case(const Conv2d& c)
      : conv(c),
        x(random_values(c.batch * c.height * c.width * c.in_channels, 1)),
        w(random_values(c.out_channels * c.kernel_height * c.kernel_width * c.in_channels, 2)),
        bias(random_values(c.out_channels, 3)),
        dy(random_values(c.batch * c.out_height() * c.out_width() * c.out_channels, 4)) {}

  std::vector<float> forward(bool with_bias) const {
    const DeviceArray<float> device_x(x), device_w(w), device_bias(bias), y(static_cast<int64_t>(dy.size()));
    kernel::conv2d_forward(stream(), device_x, device_w, with_bias ? +device_bias : nullptr, y, DType::float32, conv);
    return y.values();
  }
  std::vector<float> backward_data() const {
    const DeviceArray<float> device_dy(dy), device_w(w), dx(static_cast<int64_t>(x.size()));
    kernel::conv2d_backward_data(stream(), device_dy, device_w, dx, DType::float32, conv);
    return dx.values();
  }
  std::vector<float> backward_filter() const {
    const DeviceArray<float> device_x(x), device_dy(dy), dw(static_cast<int64_t>(w.size()));
    kernel::conv2d_backward_filter(stream(), device_x, device_dy, dw, DType::float32, conv);
    return dw.values();
  }
  static Stream& stream() { return Stream::of(Device::cpu); }
};

// Visits every product of a convolution: term(index of x, of w, of y, of the output channel).
template <class Term>
void for_each_term(const Conv2d& c, Term term) {
  const int64_t out_height = c.out_height(), out_width = c.out_width();
  for (int64_t n = 0; n < c.batch; ++n) {
    for (int64_t oh = 0; oh < out_height; ++oh) {
      for (int64_t ow = 0; ow < out_width; ++ow) {
        for (int64_t oc = 0; oc < c.out_channels; ++oc) {
          for (int64_t kh = 0; kh < c.kernel_height; ++kh) {
            for (int64_t kw = 0; kw < c.kernel_width; ++kw) {
              const int64_t ih = oh * c.stride - c.padding + kh, iw = ow * c.stride - c.padding + kw;
              if (ih < 0 || ih >= c.height || iw < 0 || iw >= c.width) continue;
              for (int64_t ic = 0; ic < c.in_channels; ++ic) {
                term(static_cast<size_t>(((n * c.height + ih) * c.width + iw) * c.in_channels + ic),
                     static_cast<size_t>(((oc * c.kernel_height + kh) * c.kernel_width + kw) * c.in_channels + ic),
                     static_cast<size_t>(((n * out_height + oh) * out_width + ow) * c.out_channels + oc));
              }
            }
          }
        }
      }
    }
  }
}

class Conv2dKernel : public testing::TestWithParam<Conv2d> {};

TEST_P(Conv2dKernel, AgreesWithTheSumThatDefinesIt) {
  const Case example(GetParam());
  const std::vector<float>&x = example.x, &w = example.w, &dy = example.dy;
  std::vector<double> y(dy.size()), dx(x.size()), dw(w.size());
  for_each_term(example.conv, [&](size_t xi, size_t wi, size_t yi) {
    y[yi] += static_cast<double>(x[xi]) * static_cast<double>(w[wi]);
    dx[xi] += static_cast<double>(dy[yi]) * static_cast<double>(w[wi]);
    dw[wi] += static_cast<double>(dy[yi]) * static_cast<double>(x[xi]);
  });
  expect_close(example.forward(false), y, 1e-5, 2e-5);
  expect_close(example.backward_data(), dx, 1e-5, 2e-5);
  expect_close(example.backward_filter(), dw, 1e-5, 1e-4);
  for (size_t i = 0; i < y.size(); ++i) y[i] += static_cast<double>(example.bias[i % example.bias.size()]);
  expect_close(example.forward(true), y, 1e-5, 2e-5);
}

TEST_P(Conv2dKernel, RepeatsToTheBitAtAnyThreadCount) {
  const Case example(GetParam());
  expect_same_bits_at_any_thread_count([&] { return example.forward(true); });
  expect_same_bits_at_any_thread_count([&] { return example.backward_data(); });
  expect_same_bits_at_any_thread_count([&] { return example.backward_filter(); });
}

// y, y with bias, dx, dw.
test::Results on_cuda(const Case& example, DType dtype) {
  Stream& stream = Stream::of(Device::cuda);
  const auto& [conv, x_values, w_values, bias_values, dy_values] = example;
  const auto empty_like = [](const std::vector<float>& values) { return static_cast<int64_t>(values.size()); };
  const Array x(stream, x_values, dtype), w(stream, w_values, dtype), bias(stream, bias_values);
  const Array dy(stream, dy_values, dtype), y(stream, empty_like(dy_values), dtype);
  const Array y_with_bias(stream, empty_like(dy_values), dtype);
  const Array dx(stream, empty_like(x_values), dtype), dw(stream, empty_like(w_values), dtype);
  kernel::conv2d_forward(stream, x.data(), w.data(), nullptr, y.data(), dtype, conv);
  kernel::conv2d_forward(stream, x.data(), w.data(), bias.floats(), y_with_bias.data(), dtype, conv);
  kernel::conv2d_backward_data(stream, dy.data(), w.data(), dx.data(), dtype, conv);
  kernel::conv2d_backward_filter(stream, x.data(), dy.data(), dw.data(), dtype, conv);
  return {y.values(), y_with_bias.values(), dx.values(), dw.values()};
}

TEST_P(Conv2dKernel, CudaAgreesWithTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : test::activation_dtypes) {
    SCOPED_TRACE(name_of(dtype));
    Case example(GetParam());
    for (auto* values : {&example.x, &example.w, &example.dy}) *values = test::rounded(*values, dtype);
    const test::Results results = test::in_every_order([&] { return on_cuda(example, dtype); });
    const auto& [y, y_with_bias, dx, dw] = std::tie(results[0], results[1], results[2], results[3]);
    test::expect_near({y, dx, dw}, {example.forward(false), example.backward_data(), example.backward_filter()},
                      test::tolerance(dtype, 1e-5f), 1e-4f);
    // The bias comes on top of the rounded convolution.
    std::vector<float> sum = y;
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += example.bias[i % example.bias.size()];
    test::expect_same_bits({y_with_bias}, {test::rounded(sum, dtype)});
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Conv2dKernel, testing::ValuesIn(test::unusual_convolutions));

TEST(Conv2dKernel, CudaRefusesWhatItCannotConvolve) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  Stream& stream = Stream::of(Device::cuda);
  const Array memory(stream, 1000);
  float* const aligned = memory.floats();
  const auto convolve = [&](const void* x, const Conv2d& conv) {
    kernel::conv2d_forward(stream, x, aligned, nullptr, aligned + 500, DType::float32, conv);
  };
  expect_error([&] { convolve(aligned, {1, 2, 2, 1, 1, 5, 5, 1, 1}); }, "the kernel does not fit the padded input");
  expect_error([&] { convolve(aligned + 1, {1, 2, 2, 1, 1, 1, 1, 1, 0}); }, "not aligned to 16 bytes");
#if MELGRAD_EMULATED
  alignas(16) const float on_host[4] = {};
  expect_error([&] { convolve(on_host, {1, 2, 2, 1, 1, 1, 1, 1, 0}); }, "not usable device memory");
#endif
}

TEST(Conv2dKernel, RefusesAKernelLargerThanThePaddedInput) {
  const DeviceArray<float> memory(1000);
  EXPECT_THROW(kernel::conv2d_forward(Case::stream(), memory, memory, nullptr, memory, DType::float32,
                                      {1, 2, 2, 1, 1, 5, 5, 1, 1}),
               Error);
}

TEST(Conv2dKernel, RefusesBfloat16OnTheCpu) {
  const DeviceArray<float> memory(1000);
  EXPECT_THROW(kernel::conv2d_forward(Case::stream(), memory, memory, nullptr, memory, DType::bfloat16,
                                      {1, 2, 2, 1, 1, 1, 1, 1, 0}),
               Error);
}

}  // namespace
}  // namespace melgrad
