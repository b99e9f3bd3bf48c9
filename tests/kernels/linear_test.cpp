#include "kernels/linear.h"

#include "tests/support/kernel_test.h"
#include "tests/support/reference.h"

namespace melgrad {
namespace {

using reference::DeviceArray;
using reference::expect_close;
using reference::expect_same_bits_at_any_thread_count;
using reference::random_values;

struct Shape {
  int64_t n, in, out;
};

struct Case {
  Shape shape;
  std::vector<float> x, w, bias, dy;

  explicit Case(const Shape& s)
      : shape(s),
        x(random_values(s.n * s.in, 1)),
        w(random_values(s.out * s.in, 2)),
        bias(random_values(s.out, 3)),
        dy(random_values(s.n * s.out, 4)) {}

  std::vector<float> forward(bool with_bias) const {
    const DeviceArray<float> device_x(x), device_w(w), device_bias(bias), y(static_cast<int64_t>(dy.size()));
    kernel::linear_forward(Stream::of(Device::cpu), device_x, device_w, with_bias ? +device_bias : nullptr, y,
                           DType::float32, shape.n, shape.in, shape.out);
    return y.values();
  }
  std::vector<float> backward_data() const {
    const DeviceArray<float> device_dy(dy), device_w(w), dx(static_cast<int64_t>(x.size()));
    kernel::linear_backward_data(Stream::of(Device::cpu), device_dy, device_w, dx, DType::float32, shape.n, shape.in,
                                 shape.out);
    return dx.values();
  }
  std::vector<float> backward_weight() const {
    const DeviceArray<float> device_x(x), device_dy(dy), dw(static_cast<int64_t>(w.size()));
    kernel::linear_backward_weight(Stream::of(Device::cpu), device_x, device_dy, dw, DType::float32, shape.n, shape.in,
                                   shape.out);
    return dw.values();
  }
};

class LinearKernel : public testing::TestWithParam<Shape> {};

TEST_P(LinearKernel, AgreesWithTheSumsThatDefineIt) {
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
  expect_close(example.forward(false), y, 1e-5, 2e-5);
  expect_close(example.backward_data(), dx, 1e-5, 2e-5);
  expect_close(example.backward_weight(), dw, 1e-5, 2e-5);
  for (size_t i = 0; i < y.size(); ++i) y[i] += static_cast<double>(bias[i % out]);
  expect_close(example.forward(true), y, 1e-5, 2e-5);
}

TEST_P(LinearKernel, RepeatsToTheBitAtAnyThreadCount) {
  const Case example(GetParam());
  expect_same_bits_at_any_thread_count([&] { return example.forward(true); });
  expect_same_bits_at_any_thread_count([&] { return example.backward_data(); });
  expect_same_bits_at_any_thread_count([&] { return example.backward_weight(); });
}

// y without and with the bias, dx, dw.
test::Results everything(Device device, const Case& example, DType dtype) {
  Stream& stream = Stream::of(device);
  const auto& [shape, x, w, bias, dy] = example;
  const auto& [n, in_features, out_features] = shape;
  const test::Array in(stream, x, dtype), weight(stream, w, dtype), d_out(stream, dy, dtype), shift(stream, bias);
  const test::Array y(stream, n * out_features, dtype), y_biased(stream, n * out_features, dtype);
  const test::Array dx(stream, n * in_features, dtype), dw(stream, out_features * in_features, dtype);
  kernel::linear_forward(stream, in.data(), weight.data(), nullptr, y.data(), dtype, n, in_features, out_features);
  kernel::linear_forward(stream, in.data(), weight.data(), shift.floats(), y_biased.data(), dtype, n, in_features,
                         out_features);
  kernel::linear_backward_data(stream, d_out.data(), weight.data(), dx.data(), dtype, n, in_features, out_features);
  kernel::linear_backward_weight(stream, in.data(), d_out.data(), dw.data(), dtype, n, in_features, out_features);
  return {y.values(), y_biased.values(), dx.values(), dw.values()};
}

TEST_P(LinearKernel, CudaAgreesWithTheCpu) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : test::activation_dtypes) {
    Case example(GetParam());
    for (auto* values : {&example.x, &example.w, &example.dy}) *values = test::rounded(*values, dtype);
    SCOPED_TRACE(name_of(dtype));
    // In bfloat16 the product, of up to 16, is rounded before the bias is added, which may take most of it away.
    const float absolute = dtype == DType::float32 ? 2e-5f : 16 * 0x1p-9f;
    test::expect_near(test::in_every_order([&] { return everything(Device::cuda, example, dtype); }),
                      everything(Device::cpu, example, DType::float32), test::tolerance(dtype, 1e-5f), absolute);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, LinearKernel,
                         testing::Values(Shape{1, 1, 1}, Shape{1, 31, 33}, Shape{32, 128, 10}, Shape{33, 31, 1},
                                         Shape{131, 67, 293}, Shape{65, 521, 17}));

}  // namespace
}  // namespace melgrad
