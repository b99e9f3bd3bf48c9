#include "kernels/linear.h"

#include "kernels/device/tf32.h"
#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

struct Shape {
  int64_t n, in, out;
};

// A linear layer and its random inputs.
struct Case {
  Shape shape;
  std::vector<float> x, w, bias, dy;

  explicit Case(const Shape& s)
      : shape(s),
        x(random_values(s.n * s.in, 1)),
        w(random_values(s.out * s.in, 2)),
        bias(random_values(s.out, 3)),
        dy(random_values(s.n * s.out, 4)) {}

  // y, y with the bias, dx, dw.
  Results passes(Device device = Device::cpu, DType dtype = DType::float32) const {
    Stream& stream = Stream::of(device);
    const auto [n, in, out] = shape;
    const Array device_x(stream, x, dtype), device_w(stream, w, dtype), device_dy(stream, dy, dtype);
    const DeviceVector<float> device_bias(stream, bias);
    const Array y(stream, n * out, dtype), y_with_bias(stream, n * out, dtype);
    const Array dx(stream, n * in, dtype), dw(stream, out * in, dtype);
    kernel::linear_forward(stream, device_x.data(), device_w.data(), nullptr, y.data(), dtype, n, in, out);
    kernel::linear_forward(stream, device_x.data(), device_w.data(), device_bias, y_with_bias.data(), dtype, n, in,
                           out);
    kernel::linear_backward_data(stream, device_dy.data(), device_w.data(), dx.data(), dtype, n, in, out);
    kernel::linear_backward_weight(stream, device_x.data(), device_dy.data(), dw.data(), dtype, n, in, out);
    return {y.values(), y_with_bias.values(), dx.values(), dw.values()};
  }
};

class LinearKernel : public testing::TestWithParam<Shape> {};

TEST_P(LinearKernel, AgreesWithItsDefinition) {
  const Case example(GetParam());
  const auto& [shape, x, w, bias, dy] = example;
  std::vector<double> y(dy.size()), dx(x.size()), dw(w.size());
  const auto in = static_cast<size_t>(shape.in), out = static_cast<size_t>(shape.out);
  for (size_t row = 0; row < static_cast<size_t>(shape.n); ++row) {
    for (size_t o = 0; o < out; ++o) {
      const double d = static_cast<double>(dy[row * out + o]);
      for (size_t i = 0; i < in; ++i) {
        const double value = static_cast<double>(x[row * in + i]), weight = static_cast<double>(w[o * in + i]);
        y[row * out + o] += value * weight;
        dx[row * in + i] += d * weight;
        dw[o * in + i] += d * value;
      }
    }
  }
  const Results passes = example.passes();
  expect_close(passes[0], y, 1e-5, 2e-5);
  expect_close(passes[2], dx, 1e-5, 2e-5);
  expect_close(passes[3], dw, 1e-5, 2e-5);
  for (size_t i = 0; i < y.size(); ++i) y[i] += static_cast<double>(bias[i % out]);
  expect_close(passes[1], y, 1e-5, 2e-5);
}

TEST_P(LinearKernel, GivesTheSameBitsAtAnyThreadCount) {
  const Case example(GetParam());
  expect_same_bits_at_any_thread_count([&] { return example.passes(); });
}

TEST_P(LinearKernel, CudaAgreesWithTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : activation_dtypes) {
    Case example(GetParam());
    for (auto* values : {&example.x, &example.w, &example.dy}) *values = rounded(*values, dtype);
    SCOPED_TRACE(name_of(dtype));
    // The product, of up to 16, is rounded before the bias is added, and the sum may be much smaller than it.
    const double absolute = dtype == DType::float32 ? 2e-5 : 16 * tolerance(dtype, 0) / 2;
    expect_close(in_every_order([&] { return example.passes(Device::cuda, dtype); }), example.passes(),
                 tolerance(dtype, 1e-5), absolute);
  }
}

TEST_P(LinearKernel, RoundsToTf32OnlyIfAllowed) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  const Case exact(GetParam());
  Case rounded = exact;
  for (auto* values : {&rounded.x, &rounded.w, &rounded.dy}) *values = rounded_to_tf32(*values);
  kernel::set_tf32(true);
  const Results allowed = exact.passes(Device::cuda);
  kernel::set_tf32(false);
  expect_close(allowed, rounded.passes(), 1e-5, 2e-5);
  expect_close(exact.passes(Device::cuda), exact.passes(), 1e-5, 2e-5);
}

INSTANTIATE_TEST_SUITE_P(Shapes, LinearKernel,
                         testing::Values(Shape{1, 1, 1}, Shape{1, 31, 33}, Shape{32, 128, 10}, Shape{33, 31, 1},
                                         Shape{131, 67, 293}, Shape{65, 521, 17}));

}  // namespace
}  // namespace melgrad::test
