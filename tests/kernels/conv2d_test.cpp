#include "kernels/conv2d.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "kernels/device/tf32.h"
#include "tests/support/conv2d_shapes.h"
#include "tests/support/exact_convolution.h"
#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

using kernel::Conv2d;

// A convolution and its random inputs.
struct Case {
  Conv2d conv;
  std::vector<float> x, w, bias, dy;

  explicit Case(const Conv2d& c)
      : conv(c),
        x(random_values(c.batch * c.height * c.width * c.in_channels, 1)),
        w(random_values(c.out_channels * c.kernel_height * c.kernel_width * c.in_channels, 2)),
        bias(random_values(c.out_channels, 3)),
        dy(random_values(c.batch * c.out_height() * c.out_width() * c.out_channels, 4)) {}

  // y, y with the bias, dx, dw.
  Results passes(Device device = Device::cpu, DType dtype = DType::float32) const {
    Stream& stream = Stream::of(device);
    const auto empty_like = [&](const std::vector<float>& values) {
      return std::make_unique<Array>(stream, static_cast<int64_t>(values.size()), dtype);
    };
    const Array device_x(stream, x, dtype), device_w(stream, w, dtype), device_dy(stream, dy, dtype);
    const DeviceVector<float> device_bias(stream, bias);
    const auto y = empty_like(dy), y_with_bias = empty_like(dy), dx = empty_like(x), dw = empty_like(w);
    kernel::conv2d_forward(stream, device_x.data(), device_w.data(), nullptr, y->data(), dtype, conv);
    kernel::conv2d_forward(stream, device_x.data(), device_w.data(), device_bias, y_with_bias->data(), dtype, conv);
    kernel::conv2d_backward_data(stream, device_dy.data(), device_w.data(), dx->data(), dtype, conv);
    kernel::conv2d_backward_filter(stream, device_x.data(), device_dy.data(), dw->data(), dtype, conv);
    return {y->values(), y_with_bias->values(), dx->values(), dw->values()};
  }
};

// Calls term(index in x, index in w, index in y) for every product of a convolution.
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

// y, dx and dw in double precision.
struct Definition {
  std::vector<double> y, dx, dw;

  explicit Definition(const Case& example) : y(example.dy.size()), dx(example.x.size()), dw(example.w.size()) {
    for_each_term(example.conv, [&](size_t xi, size_t wi, size_t yi) {
      y[yi] += static_cast<double>(example.x[xi]) * static_cast<double>(example.w[wi]);
      dx[xi] += static_cast<double>(example.dy[yi]) * static_cast<double>(example.w[wi]);
      dw[wi] += static_cast<double>(example.dy[yi]) * static_cast<double>(example.x[xi]);
    });
  }
};

TEST_P(Conv2dKernel, AgreesWithItsDefinition) {
  const Case example(GetParam());
  auto [y, dx, dw] = Definition(example);
  const ExactConvolution exact;
  const Results passes = example.passes();
  expect_close(passes[0], y, 1e-5, 2e-5);
  expect_close(passes[2], dx, 1e-5, 2e-5);
  expect_close(passes[3], dw, 1e-5, 1e-4);
  for (size_t i = 0; i < y.size(); ++i) y[i] += static_cast<double>(example.bias[i % example.bias.size()]);
  expect_close(passes[1], y, 1e-5, 2e-5);
}

TEST_P(Conv2dKernel, GivesTheSameBitsAtAnyThreadCount) {
  const Case example(GetParam());
  expect_same_bits_at_any_thread_count([&] { return example.passes(); });
}

TEST_P(Conv2dKernel, CudaAgreesWithTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : activation_dtypes) {
    SCOPED_TRACE(name_of(dtype));
    Case example(GetParam());
    for (auto* values : {&example.x, &example.w, &example.dy}) *values = rounded(*values, dtype);
    const Results results = in_every_order([&] { return example.passes(Device::cuda, dtype); });
    const Results expected = example.passes();
    for (const size_t k : {0, 2, 3}) expect_close(results[k], expected[k], tolerance(dtype, 1e-5), 1e-4);
    // The bias is added to the rounded result of the convolution.
    std::vector<float> sum = results[0];
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += example.bias[i % example.bias.size()];
    expect_same_bits(results[1], rounded(sum, dtype));
  }
}

TEST_P(Conv2dKernel, RoundsToTf32OnlyIfAllowed) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  const Case exact(GetParam());
  Case rounded = exact;
  for (auto* values : {&rounded.x, &rounded.w, &rounded.dy}) *values = rounded_to_tf32(*values);
  kernel::set_tf32(true);
  const Results allowed = exact.passes(Device::cuda);
  kernel::set_tf32(false);
  expect_close(allowed, rounded.passes(), 1e-5, 1e-4);
  expect_close(exact.passes(Device::cuda), exact.passes(), 1e-5, 1e-4);
}

// The largest error, relative to the root of the mean square of the exact values.
double relative_error(const std::vector<float>& values, const std::vector<double>& exact) {
  double largest = 0, squares = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(values[i]) - exact[i]));
    squares += exact[i] * exact[i];
  }
  return largest / std::sqrt(squares / static_cast<double>(exact.size()));
}

class WinogradConvolution : public testing::TestWithParam<Conv2d> {};

TEST_P(WinogradConvolution, ErrsByLessThanThreeHundredThousandths) {
  const Case example(GetParam());
  Definition exact(example);
  const Results passes = example.passes();
  EXPECT_LT(relative_error(passes[0], exact.y), 3e-5);
  for (size_t i = 0; i < exact.y.size(); ++i) {
    exact.y[i] += static_cast<double>(example.bias[i % example.bias.size()]);
  }
  EXPECT_LT(relative_error(passes[1], exact.y), 3e-5);
  EXPECT_LT(relative_error(passes[2], exact.dx), 3e-5);
  EXPECT_LT(relative_error(passes[3], exact.dw), 3e-5);
}

TEST_P(WinogradConvolution, GivesAnImageTheSameBitsInAnyBatch) {
  Case batch(GetParam());
  batch.conv.independent_images = true;
  const std::vector<float> all = batch.passes()[0];
  const size_t in = batch.x.size() / static_cast<size_t>(batch.conv.batch);
  const size_t out = all.size() / static_cast<size_t>(batch.conv.batch);
  for (size_t image = 0; image < static_cast<size_t>(batch.conv.batch); ++image) {
    Case single = batch;
    single.conv.batch = 1;
    single.x = {batch.x.begin() + static_cast<ptrdiff_t>(image * in),
                batch.x.begin() + static_cast<ptrdiff_t>((image + 1) * in)};
    single.dy.resize(out);
    expect_same_bits(single.passes()[0], {all.begin() + static_cast<ptrdiff_t>(image * out),
                                          all.begin() + static_cast<ptrdiff_t>((image + 1) * out)});
  }
}

TEST_P(WinogradConvolution, GivesTheSameBitsAtAnyThreadCount) {
  const Case example(GetParam());
  expect_same_bits_at_any_thread_count([&] { return example.passes(); });
}

// The stages of resnet18 (the first with several slices of tiles), channels that do not fill a panel, one pixel, and
// more tiles than may be in memory at a time.
INSTANTIATE_TEST_SUITE_P(Shapes, WinogradConvolution,
                         testing::Values(Conv2d{3, 32, 33, 64, 64, 3, 3, 1, 1}, Conv2d{3, 16, 17, 128, 128, 3, 3, 1, 1},
                                         Conv2d{3, 8, 9, 256, 256, 3, 3, 1, 1}, Conv2d{3, 4, 5, 512, 512, 3, 3, 1, 1},
                                         Conv2d{2, 9, 12, 17, 35, 3, 3, 1, 1}, Conv2d{2, 1, 1, 16, 16, 3, 3, 1, 1},
                                         Conv2d{1, 44, 48, 1408, 16, 3, 3, 1, 1}));

INSTANTIATE_TEST_SUITE_P(Shapes, Conv2dKernel, testing::ValuesIn(unusual_convolutions));

TEST(Conv2dKernel, CudaRefusesInvalidShapesAndPointers) {
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
  Stream& stream = Stream::of(Device::cpu);
  const DeviceVector<float> memory(stream, 1000);
  EXPECT_THROW(
      kernel::conv2d_forward(stream, memory, memory, nullptr, memory, DType::float32, {1, 2, 2, 1, 1, 5, 5, 1, 1}),
      Error);
}

TEST(Conv2dKernel, RefusesBfloat16OnTheCpu) {
  Stream& stream = Stream::of(Device::cpu);
  const DeviceVector<float> memory(stream, 1000);
  EXPECT_THROW(
      kernel::conv2d_forward(stream, memory, memory, nullptr, memory, DType::bfloat16, {1, 2, 2, 1, 1, 1, 1, 1, 0}),
      Error);
}

}  // namespace
}  // namespace melgrad::test
