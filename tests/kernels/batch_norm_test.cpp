#include "kernels/batch_norm.h"

#include <cmath>

#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

constexpr float momentum = 0.1f, epsilon = 1e-5f;

struct Inputs {
  int64_t rows, channels;
  std::vector<float> x, dy, gamma, beta, running_mean, running_var;

  Inputs(int64_t row_count, int64_t channel_count, DType dtype = DType::float32, double mean = 0.5)
      : rows(row_count),
        channels(channel_count),
        x(rounded(random_values(rows * channels, 1, 2 * unit_deviation, mean), dtype)),
        dy(rounded(random_values(rows * channels, 2, unit_deviation), dtype)),
        gamma(random_values(channels, 3, 0.2 * unit_deviation, 1)),
        beta(random_values(channels, 4, unit_deviation)),
        running_mean(random_values(channels, 5, unit_deviation)),
        running_var(random_values(channels, 6, 0.2 * unit_deviation, 2)) {}
};

// Returns y, mean, inverse_std, running_mean, running_var, dx, dgamma, dbeta.
Results train(Device device, const Inputs& in, DType dtype) {
  Stream& stream = Stream::of(device);
  const Array x(stream, in.x, dtype), dy(stream, in.dy, dtype), gamma(stream, in.gamma), beta(stream, in.beta);
  const Array running_mean(stream, in.running_mean), running_var(stream, in.running_var);
  const Array y(stream, in.rows * in.channels, dtype), dx(stream, in.rows * in.channels, dtype);
  const Array mean(stream, in.channels), inverse_std(stream, in.channels);
  const Array dgamma(stream, in.channels), dbeta(stream, in.channels);
  const kernel::BatchNormAffine affine{gamma.floats(), beta.floats()};
  const kernel::BatchNormStatistics statistics{mean.floats(), inverse_std.floats()};
  const kernel::BatchNormSize size{dtype, in.rows, in.channels};
  kernel::batch_norm_forward_training(stream, x.data(), {}, affine, y.data(), statistics,
                                      {running_mean.floats(), running_var.floats()}, size, momentum, epsilon);
  kernel::batch_norm_backward_training(stream, x.data(), {.dy = dy.data()}, affine, statistics, dx.data(),
                                       dgamma.floats(), dbeta.floats(), size);
  return {y.values(),           mean.values(), inverse_std.values(), running_mean.values(),
          running_var.values(), dx.values(),   dgamma.values(),      dbeta.values()};
}

// Returns y, dx, dgamma, dbeta.
Results evaluate(Device device, const Inputs& in, DType dtype) {
  Stream& stream = Stream::of(device);
  const Array x(stream, in.x, dtype), dy(stream, in.dy, dtype), gamma(stream, in.gamma), beta(stream, in.beta);
  const Array running_mean(stream, in.running_mean), running_var(stream, in.running_var);
  const Array y(stream, in.rows * in.channels, dtype), dx(stream, in.rows * in.channels, dtype);
  const Array dgamma(stream, in.channels), dbeta(stream, in.channels);
  const kernel::BatchNormAffine affine{gamma.floats(), beta.floats()};
  const kernel::RunningStatistics running{running_mean.floats(), running_var.floats()};
  const kernel::BatchNormSize size{dtype, in.rows, in.channels};
  kernel::batch_norm_forward_evaluation(stream, x.data(), {}, affine, y.data(), running, size, epsilon);
  kernel::batch_norm_backward_evaluation(stream, x.data(), {.dy = dy.data()}, affine, running, dx.data(),
                                         dgamma.floats(), dbeta.floats(), size, epsilon);
  return {y.values(), dx.values(), dgamma.values(), dbeta.values()};
}

// The same results in double precision by the formulas of Ioffe and Szegedy 2015, one channel at a time.
struct Reference {
  Results training, evaluation;

  explicit Reference(const Inputs& in) : training(8), evaluation(4) {
    for (const int result : {0, 5}) training[result].resize(in.x.size());
    for (const int result : {0, 1}) evaluation[result].resize(in.x.size());
    for (int64_t c = 0; c < in.channels; ++c) compute_channel(in, c);
  }

 private:
  void compute_channel(const Inputs& in, int64_t c) {
    const auto channel = static_cast<size_t>(c);
    const auto rows = static_cast<double>(in.rows);
    const auto at = [&](int64_t row) { return static_cast<size_t>(row * in.channels + c); };
    double mean = 0, var = 0;
    for (int64_t r = 0; r < in.rows; ++r) mean += in.x[at(r)] / rows;
    for (int64_t r = 0; r < in.rows; ++r) var += (in.x[at(r)] - mean) * (in.x[at(r)] - mean) / rows;

    const auto gradients = [&](double center, double inverse) {
      std::pair<double, double> sums;  // dgamma, dbeta
      for (int64_t r = 0; r < in.rows; ++r) {
        sums.first += in.dy[at(r)] * (in.x[at(r)] - center) * inverse;
        sums.second += in.dy[at(r)];
      }
      return sums;
    };
    const double inverse = 1 / std::sqrt(var + epsilon), scale = in.gamma[channel] * inverse;
    const auto [dgamma, dbeta] = gradients(mean, inverse);
    const double running_mean = in.running_mean[channel], running_var = in.running_var[channel];
    const double running_inverse = 1 / std::sqrt(running_var + epsilon);
    const auto [running_dgamma, running_dbeta] = gradients(running_mean, running_inverse);
    for (int64_t r = 0; r < in.rows; ++r) {
      const double u = (in.x[at(r)] - mean) * inverse, d = in.dy[at(r)];
      training[0][at(r)] = static_cast<float>(in.gamma[channel] * u + in.beta[channel]);
      training[5][at(r)] = static_cast<float>(scale * (d - dbeta / rows - u * dgamma / rows));
      const double v = (in.x[at(r)] - running_mean) * running_inverse;
      evaluation[0][at(r)] = static_cast<float>(in.gamma[channel] * v + in.beta[channel]);
      evaluation[1][at(r)] = static_cast<float>(in.gamma[channel] * running_inverse * d);
    }
    const double averaged_mean = (1 - momentum) * running_mean + momentum * mean;
    const double averaged_var = (1 - momentum) * running_var + momentum * var * rows / (rows - 1);
    append(training, 1, {mean, inverse, averaged_mean, averaged_var});
    append(training, 6, {dgamma, dbeta});
    append(evaluation, 2, {running_dgamma, running_dbeta});
  }

  static void append(Results& results, size_t first, std::initializer_list<double> values) {
    for (const double value : values) results[first++].push_back(static_cast<float>(value));
  }
};

constexpr std::pair<int64_t, int64_t> shapes[] = {{2, 1},   {31, 33},  {33, 31}, {127, 7},
                                                  {257, 8}, {1009, 5}, {67, 72}, {300, 16}};

TEST(BatchNormKernel, CpuAgreesWithTheDefinition) {
  for (const auto& [rows, channels] : shapes) {
    const Inputs in(rows, channels);
    const Reference reference(in);
    SCOPED_TRACE(testing::Message() << rows << " x " << channels);
    expect_close(train(Device::cpu, in, DType::float32), reference.training, 1e-5, 3e-6);
    expect_close(evaluate(Device::cpu, in, DType::float32), reference.evaluation, 1e-5, 3e-6);
  }
}

TEST(BatchNormKernel, CudaAgreesWithTheDefinition) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : activation_dtypes) {
    for (const auto& [rows, channels] : shapes) {
      const Inputs in(rows, channels, dtype);
      const Reference reference(in);
      SCOPED_TRACE(testing::Message() << rows << " x " << channels << " " << name_of(dtype));
      const double relative = tolerance(dtype, 1e-5), absolute = 2e-5;
      expect_close(in_every_order([&] { return train(Device::cuda, in, dtype); }), reference.training, relative,
                   absolute);
      expect_close(in_every_order([&] { return evaluate(Device::cuda, in, dtype); }), reference.evaluation, relative,
                   absolute);
    }
  }
}

// The mean is 5000 times the deviation: sum(x^2) - sum(x)^2 / rows in float32 would leave no digit of the variance.
TEST(BatchNormKernel, IsAccurateWithALargeMean) {
  const Inputs in(1009, 3, DType::float32, 10000);
  const Reference reference(in);
  for (const Device device : available_devices()) {
    const Results results = train(device, in, DType::float32);
    // float32 rounds the mean by up to half of its last bit, 5e-4, which shifts y by half as much.
    for (const size_t k : {0, 1}) expect_close(results[k], reference.training[k], 1e-4, 1e-3);
    expect_close(results[2], reference.training[2], 1e-4, 0);
  }
}

TEST(BatchNormKernel, GivesTheSameBitsAtAnyThreadCount) {
  const Inputs in(20011, 17);
  expect_same_bits_at_any_thread_count([&] {
    Results results = train(Device::cpu, in, DType::float32);
    for (auto& result : evaluate(Device::cpu, in, DType::float32)) results.push_back(result);
    return results;
  });
}

TEST(BatchNormKernel, WorksInPlace) {
  const Inputs in(67, 8);
  for (const Device device : available_devices()) {
    Stream& stream = Stream::of(device);
    const Results expected = evaluate(device, in, DType::float32);
    const Array x(stream, in.x), dy(stream, in.dy), gamma(stream, in.gamma), beta(stream, in.beta);
    const Array mean(stream, in.running_mean), var(stream, in.running_var), dgamma(stream, 8), dbeta(stream, 8);
    const kernel::BatchNormAffine affine{gamma.floats(), beta.floats()};
    const kernel::RunningStatistics running{mean.floats(), var.floats()};
    const kernel::BatchNormSize size{DType::float32, 67, 8};
    kernel::batch_norm_backward_evaluation(stream, x.data(), {.dy = dy.data()}, affine, running, dy.data(),
                                           dgamma.floats(), dbeta.floats(), size, epsilon);
    kernel::batch_norm_forward_evaluation(stream, x.data(), {}, affine, x.data(), running, size, epsilon);
    expect_same_bits(Results{x.values(), dy.values()}, Results{expected[0], expected[1]});
  }
}

TEST(BatchNormKernel, RefusesASingleRow) {
  const Inputs in(1, 4);
  for (const Device device : available_devices()) {
    EXPECT_THROW(train(device, in, DType::float32), Error);
  }
}

}  // namespace
}  // namespace melgrad::test
