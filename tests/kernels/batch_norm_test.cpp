#include "kernels/batch_norm.h"

#include <cmath>

#include "tests/support/kernel_test.h"

namespace melgrad {
namespace {

using test::Array;
using test::Results;

constexpr float momentum = 0.1f, epsilon = 1e-5f;

struct Inputs {
  int64_t rows, channels;
  std::vector<float> x, dy, gamma, beta, running_mean, running_var;

  Inputs(int64_t row_count, int64_t channel_count, DType dtype = DType::float32, float mean = 0.5f)
      : rows(row_count),
        channels(channel_count),
        x(test::rounded(test::random_values(rows * channels, 1, mean, 2), dtype)),
        dy(test::rounded(test::random_values(rows * channels, 2), dtype)),
        gamma(test::random_values(channels, 3, 1, 0.2f)),
        beta(test::random_values(channels, 4)),
        running_mean(test::random_values(channels, 5)),
        running_var(test::random_values(channels, 6, 2, 0.2f)) {}
};

// y, mean, inverse_std, running_mean, running_var, dx, dgamma, dbeta.
Results train(Device device, const Inputs& in, DType dtype) {
  Stream& stream = Stream::of(device);
  const Array x(stream, in.x, dtype), dy(stream, in.dy, dtype), gamma(stream, in.gamma), beta(stream, in.beta);
  const Array running_mean(stream, in.running_mean), running_var(stream, in.running_var);
  const Array y(stream, in.rows * in.channels, dtype), dx(stream, in.rows * in.channels, dtype);
  const Array mean(stream, in.channels), inverse_std(stream, in.channels);
  const Array dgamma(stream, in.channels), dbeta(stream, in.channels);
  kernel::batch_norm_forward_training(stream, x.data(), gamma.floats(), beta.floats(), y.data(), mean.floats(),
                                      inverse_std.floats(), running_mean.floats(), running_var.floats(), dtype, in.rows,
                                      in.channels, momentum, epsilon);
  kernel::batch_norm_backward_training(stream, x.data(), dy.data(), gamma.floats(), mean.floats(), inverse_std.floats(),
                                       dx.data(), dgamma.floats(), dbeta.floats(), dtype, in.rows, in.channels);
  return {y.values(),           mean.values(), inverse_std.values(), running_mean.values(),
          running_var.values(), dx.values(),   dgamma.values(),      dbeta.values()};
}

// y, dx, dgamma, dbeta.
Results evaluate(Device device, const Inputs& in, DType dtype) {
  Stream& stream = Stream::of(device);
  const Array x(stream, in.x, dtype), dy(stream, in.dy, dtype), gamma(stream, in.gamma), beta(stream, in.beta);
  const Array running_mean(stream, in.running_mean), running_var(stream, in.running_var);
  const Array y(stream, in.rows * in.channels, dtype), dx(stream, in.rows * in.channels, dtype);
  const Array dgamma(stream, in.channels), dbeta(stream, in.channels);
  kernel::batch_norm_forward_evaluation(stream, x.data(), gamma.floats(), beta.floats(), running_mean.floats(),
                                        running_var.floats(), y.data(), dtype, in.rows, in.channels, epsilon);
  kernel::batch_norm_backward_evaluation(stream, x.data(), dy.data(), gamma.floats(), running_mean.floats(),
                                         running_var.floats(), dx.data(), dgamma.floats(), dbeta.floats(), dtype,
                                         in.rows, in.channels, epsilon);
  return {y.values(), dx.values(), dgamma.values(), dbeta.values()};
}

// One channel at a time in double precision, by the formulas of the paper.
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

TEST(BatchNormKernel, CpuIsTheDefinition) {
  for (const auto& [rows, channels] : shapes) {
    const Inputs in(rows, channels);
    const Reference reference(in);
    SCOPED_TRACE(testing::Message() << rows << " x " << channels);
    test::expect_near(train(Device::cpu, in, DType::float32), reference.training, 1e-5f, 3e-6f);
    test::expect_near(evaluate(Device::cpu, in, DType::float32), reference.evaluation, 1e-5f, 3e-6f);
  }
}

TEST(BatchNormKernel, CudaIsTheDefinition) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  for (const DType dtype : test::activation_dtypes) {
    for (const auto& [rows, channels] : shapes) {
      const Inputs in(rows, channels, dtype);
      const Reference reference(in);
      SCOPED_TRACE(testing::Message() << rows << " x " << channels << " " << name_of(dtype));
      const float relative = test::tolerance(dtype, 1e-5f), absolute = 2e-5f;
      test::expect_near(test::in_every_order([&] { return train(Device::cuda, in, dtype); }), reference.training,
                        relative, absolute);
      test::expect_near(test::in_every_order([&] { return evaluate(Device::cuda, in, dtype); }), reference.evaluation,
                        relative, absolute);
    }
  }
}

// mean / deviation = 5000: sum(x^2) - sum(x)^2 / rows in float32 would leave nothing of the variance.
TEST(BatchNormKernel, SurvivesALargeMean) {
  const Inputs in(1009, 3, DType::float32, 10000);
  const Reference reference(in);
  for (const Device device : {Device::cpu, Device::cuda}) {
    if (!Stream::available(device)) continue;
    const Results results = train(device, in, DType::float32);
    // The mean itself is rounded to 1e-3, the half of its last bit, which shifts y by half of that.
    test::expect_near({results[0], results[1], results[2]},
                      {reference.training[0], reference.training[1], reference.training[2]}, 1e-4f, 1e-3f);
    test::expect_near({results[2]}, {reference.training[2]}, 1e-4f, 0);
  }
}

TEST(BatchNormKernel, CpuGivesTheSameBitsAtAnyThreadCount) {
  const Inputs in(20011, 17);
  test::expect_same_bits_at_any_thread_count([&] {
    Results results = train(Device::cpu, in, DType::float32);
    for (auto& result : evaluate(Device::cpu, in, DType::float32)) results.push_back(result);
    return results;
  });
}

TEST(BatchNormKernel, WorksInPlace) {
  const Inputs in(67, 8);
  for (const Device device : {Device::cpu, Device::cuda}) {
    if (!Stream::available(device)) continue;
    Stream& stream = Stream::of(device);
    const Results expected = evaluate(device, in, DType::float32);
    const Array x(stream, in.x), dy(stream, in.dy), gamma(stream, in.gamma), beta(stream, in.beta);
    const Array mean(stream, in.running_mean), var(stream, in.running_var), dgamma(stream, 8), dbeta(stream, 8);
    kernel::batch_norm_backward_evaluation(stream, x.data(), dy.data(), gamma.floats(), mean.floats(), var.floats(),
                                           dy.data(), dgamma.floats(), dbeta.floats(), DType::float32, 67, 8, epsilon);
    kernel::batch_norm_forward_evaluation(stream, x.data(), gamma.floats(), beta.floats(), mean.floats(), var.floats(),
                                          x.data(), DType::float32, 67, 8, epsilon);
    test::expect_same_bits({x.values(), dy.values()}, {expected[0], expected[1]});
  }
}

TEST(BatchNormKernel, RefusesASingleRow) {
  const Inputs in(1, 4);
  for (const Device device : {Device::cpu, Device::cuda}) {
    if (!Stream::available(device)) continue;
    EXPECT_THROW(train(device, in, DType::float32), Error);
  }
}

}  // namespace
}  // namespace melgrad
