// Ops throw an error for wrong shapes, devices and options, before a kernel reads out of bounds.
#include "framework/ops.h"
#include "tests/support/devices.h"
#include "tests/support/errors.h"

namespace melgrad::test {
namespace {

Tensor zeros(const Shape& shape) { return Tensor::zeros(shape); }

TEST(OpShapes, Add) {
  expect_error([] { add(zeros({2, 3}), zeros({3, 2})); }, "add: float32 [2, 3] and float32 [3, 2]");
  expect_error([] { add(zeros({2}), Tensor::zeros({2}, DType::bfloat16)); }, "bfloat16 [2]");
}

TEST(OpShapes, SubAndMul) {
  expect_error([] { zeros({2, 3}) - zeros({3, 2}); }, "sub: float32 [2, 3] and float32 [3, 2]");
  expect_error([] { zeros({2}) * zeros({}); }, "mul: float32 [2] and float32 []");
}

TEST(OpShapes, Mean) {
  expect_error([] { mean(zeros({0, 3})); }, "mean needs at least one element, got shape [0, 3]");
}

TEST(OpShapes, MatMul) {
  expect_error([] { matmul(zeros({2, 3}), zeros({2, 3})); }, "matmul of [2, 3] and [2, 3]: the columns");
  expect_error([] { matmul(zeros({2, 3}), zeros({3})); }, "got shape [3]");
  expect_error([] { matmul(zeros({2, 3}), Tensor::zeros({3, 2}, DType::bfloat16)); }, "got float32 and bfloat16");
}

TEST(OpShapes, Reshape) {
  expect_error([] { reshape(zeros({2, 3}), {7}); }, "cannot view [2, 3] as [7]");
  expect_error([] { flatten(zeros({})); }, "flatten needs a batch, got shape []");
}

TEST(OpShapes, Conv2d) {
  const Tensor x = zeros({1, 5, 5, 3}), w = zeros({4, 3, 3, 3});
  expect_error([&] { conv2d(zeros({5, 5, 3}), w, {}, 1, 0); }, "got shape [5, 5, 3]");
  expect_error([&] { conv2d(x, zeros({4, 3, 3, 2}), {}, 1, 0); }, "channels differ");
  expect_error([&] { conv2d(x, w, zeros({3}), 1, 0); }, "conv2d: 4 channels need a vector of shape [4], got [3]");
  expect_error([&] { conv2d(x, zeros({4, 7, 7, 3}), {}, 1, 0); }, "smaller than the kernel");
  expect_error([&] { conv2d(x, w, {}, 0, 1); }, "stride 0");
  expect_error([&] { conv2d(x, w, {}, 1, -1); }, "padding -1");
}

TEST(OpShapes, Linear) {
  const Tensor x = zeros({2, 3}), w = zeros({5, 3});
  expect_error([&] { linear(zeros({2, 3, 1}), w, {}); }, "got shape [2, 3, 1]");
  expect_error([&] { linear(x, zeros({3, 5}), {}); }, "features differ");
  expect_error([&] { linear(x, w, zeros({3})); }, "linear: 5 channels need a vector of shape [5], got [3]");
}

TEST(OpShapes, Pooling) {
  const Tensor x = zeros({1, 4, 4, 1});
  expect_error([&] { max_pool2d(x, 5, 1, 0); }, "smaller than the kernel size 5");
  expect_error([&] { max_pool2d(x, 2, 0, 0); }, "at least 1, got 2 and 0");
  expect_error([&] { max_pool2d(x, 3, 1, 2); }, "padding 2");
  expect_error([&] { adaptive_avg_pool2d(x, 0, 1); }, "to 0 x 1");
  expect_error([&] { adaptive_avg_pool2d(zeros({1, 0, 4, 1}), 1, 1); }, "[1, 0, 4, 1]");
}

TEST(OpShapes, BatchNorm) {
  BatchNormState state{zeros({3}), zeros({3}), Tensor::zeros({}, DType::uint64)};
  const Tensor x = zeros({2, 1, 1, 3}), three = zeros({3}), four = zeros({4});
  expect_error([&] { batch_norm(x, four, three, state, {}); },
               "batch_norm: 3 channels need a vector of shape [3], got [4]");
  expect_error([&] { batch_norm(x, three, four, state, {.training = false}); },
               "batch_norm: 3 channels need a vector of shape [3], got [4]");
  expect_error(
      [&] {
        batch_norm(zeros({2, 4}), four, four, state, {});
      },
      "batch_norm: 4 channels need a vector of shape [4], got [3]");
  expect_error([&] { batch_norm(zeros({1, 1, 1, 3}), three, three, state, {}); }, "at least two values");
  expect_error(
      [&] {
        batch_norm_add_relu(x, zeros({2, 1, 3}), three, three, state, {});
      },
      "batch_norm_add_relu: float32 [2, 1, 1, 3] and float32 [2, 1, 3] must be equal");
  expect_error(
      [&] {
        batch_norm_sum_relu({x, three, three, state}, {zeros({2, 1, 3}), three, three, state}, {});
      },
      "batch_norm_sum_relu: float32 [2, 1, 1, 3] and float32 [2, 1, 3] must be equal");
}

TEST(OpShapes, CrossEntropy) {
  expect_error([] { cross_entropy(zeros({2, 3}), zeros({2, 4})); }, "logits [2, 3] and targets [2, 4]");
  expect_error([] { cross_entropy(zeros({0, 3}), zeros({0, 3})); }, "at least one logit");
}

TEST(OpShapes, Dropout) {
  expect_error([] { dropout(zeros({3}), 1, Generator(1).draw()); }, "dropout probability 1");
  expect_error([] { dropout(zeros({3}), -0.5f, Generator(1).draw()); }, "dropout probability -0.5");
}

TEST(OpShapes, Devices) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  const Tensor on_cuda = Tensor::zeros({3, 3}, DType::float32, Device::cuda), on_cpu = zeros({3, 3});
  expect_error([&] { add(on_cuda, on_cpu); }, "add: all tensors must be on one device, got cuda and cpu");
  expect_error([&] { linear(on_cuda, on_cpu, {}); }, "linear: all tensors must be on one device, got cuda and cpu");
}

}  // namespace
}  // namespace melgrad::test
