#include "kernels/conv2d.h"

#include "tests/reference.h"

namespace melgrad {
namespace {

using kernel::Conv2d;
using reference::DeviceArray;
using reference::expect_close;
using reference::expect_same_bits_at_any_thread_count;
using reference::random_values;

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
  for (int64_t n = 0; n < c.batch; ++n)
    for (int64_t oh = 0; oh < out_height; ++oh)
      for (int64_t ow = 0; ow < out_width; ++ow)
        for (int64_t oc = 0; oc < c.out_channels; ++oc)
          for (int64_t kh = 0; kh < c.kernel_height; ++kh)
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

class Conv2dKernel : public testing::TestWithParam<Conv2d> {};

TEST_P(Conv2dKernel, AgreesWithTheSumThatDefinesIt) {
  const Case example(GetParam());
  const auto& [conv, x, w, bias, dy] = example;
  std::vector<double> y(dy.size()), dx(x.size()), dw(w.size());
  for_each_term(conv, [&](size_t xi, size_t wi, size_t yi) {
    y[yi] += static_cast<double>(x[xi]) * static_cast<double>(w[wi]);
    dx[xi] += static_cast<double>(dy[yi]) * static_cast<double>(w[wi]);
    dw[wi] += static_cast<double>(dy[yi]) * static_cast<double>(x[xi]);
  });
  expect_close(example.forward(false), y, 1e-5, 2e-5);
  expect_close(example.backward_data(), dx, 1e-5, 2e-5);
  expect_close(example.backward_filter(), dw, 1e-5, 1e-4);
  for (size_t i = 0; i < y.size(); ++i) y[i] += static_cast<double>(bias[i % bias.size()]);
  expect_close(example.forward(true), y, 1e-5, 2e-5);
}

TEST_P(Conv2dKernel, RepeatsToTheBitAtAnyThreadCount) {
  const Case example(GetParam());
  expect_same_bits_at_any_thread_count([&] { return example.forward(true); });
  expect_same_bits_at_any_thread_count([&] { return example.backward_data(); });
  expect_same_bits_at_any_thread_count([&] { return example.backward_filter(); });
}

// batch, height, width, in_channels, out_channels, kernel_height, kernel_width, stride, padding
INSTANTIATE_TEST_SUITE_P(Shapes, Conv2dKernel,
                         testing::Values(Conv2d{1, 1, 1, 1, 1, 1, 1, 1, 0}, Conv2d{1, 7, 7, 1, 1, 7, 7, 1, 0},
                                         Conv2d{2, 31, 33, 1, 16, 7, 7, 2, 3}, Conv2d{3, 31, 33, 1, 16, 3, 3, 1, 1},
                                         Conv2d{5, 13, 17, 3, 5, 3, 3, 1, 1}, Conv2d{1, 13, 17, 16, 16, 3, 3, 1, 1},
                                         Conv2d{33, 5, 7, 16, 32, 3, 3, 2, 1}, Conv2d{31, 4, 9, 33, 31, 3, 3, 1, 2},
                                         Conv2d{3, 11, 13, 16, 32, 1, 1, 2, 0}, Conv2d{7, 9, 5, 64, 64, 3, 3, 2, 0},
                                         Conv2d{2, 11, 13, 7, 19, 7, 7, 1, 3}, Conv2d{2, 10, 12, 5, 8, 3, 7, 2, 1},
                                         Conv2d{17, 3, 3, 128, 128, 3, 3, 1, 1}));

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
