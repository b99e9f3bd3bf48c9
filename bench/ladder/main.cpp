// melgrad_ladder: checks and times the rungs of docs/convolution.md, on one thread, then the shipped convolution.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cmath>
#include <vector>

#include "bench/ladder/ladder.h"
#include "bench/run_guarded.h"
#include "bench/timing.h"
#include "kernels/conv2d.h"
#include "kernels/convolution/exact.h"
#include "kernels/device/philox.h"
#include "kernels/device/thread_pool.h"

namespace melgrad::bench::ladder {
namespace {

void shipped(const float* x, const float* w, float* y, const Shape& s) {
  const kernel::Conv2d conv{.batch = s.batch,
                            .height = s.height,
                            .width = s.width,
                            .in_channels = s.in_channels,
                            .out_channels = s.out_channels,
                            .kernel_height = 3,
                            .kernel_width = 3,
                            .stride = 1,
                            .padding = 1};
  kernel::conv2d_forward(Stream::of(Device::cpu), x, w, nullptr, y, DType::float32, conv);
}

void shipped_direct(const float* x, const float* w, float* y, const Shape& s) {
  kernel::set_exact_convolution(true);
  shipped(x, w, y, s);
  kernel::set_exact_convolution(false);
}

struct Rung {
  const char* name;
  void (*convolve)(const float* x, const float* w, float* y, const Shape&);
  bool all_threads = false;
};

constexpr Rung rungs[] = {{"1 seven loops", seven_loops},
                          {"2 channels in lanes", channels_in_lanes},
                          {"3 sums in registers", sums_in_registers},
                          {"  shipped, direct sums", shipped_direct},
                          {"4 Winograd, 2x2 tiles", winograd},
                          {"  shipped, Winograd, 4x4 tiles", shipped},
                          {"  shipped, all threads", shipped, true}};

std::vector<float> random_values(int64_t n, uint64_t key) {
  std::vector<float> values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i) values[i] = 2 * uniform(philox(key, i, 0).v[0]) - 1;
  return values;
}

// The root mean square of the difference to the expected values, relative to that of these values.
double error_of(const std::vector<float>& y, const std::vector<float>& expected) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    difference += std::pow(static_cast<double>(y[i]) - static_cast<double>(expected[i]), 2);
    size += std::pow(static_cast<double>(expected[i]), 2);
  }
  return std::sqrt(difference / size);
}

int run(int argc, char** argv) {
  bool check = false;
  Shape shape{.batch = 16, .height = 32, .width = 33, .in_channels = 64, .out_channels = 64};
  CLI::App app("Times the rungs of docs/convolution.md; the default shape is a layer of ResNet-18");
  app.add_flag("--check", check, "Compare the results of a small shape and time nothing");
  app.add_option("--batch-size", shape.batch, "Images")->check(CLI::Range(1, 1024))->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (check) shape = {.batch = 2, .height = 7, .width = 9, .in_channels = 24, .out_channels = 32};

  const auto x = random_values(shape.pixels() * shape.in_channels, 1), w = random_values(shape.weights(), 2);
  std::vector<float> y(static_cast<size_t>(shape.pixels() * shape.out_channels)), expected(y.size());
  seven_loops_in_double(x.data(), w.data(), expected.data(), shape);
  constexpr double largest_error = 1e-5;
  int exit_code = 0;
  for (const Rung& rung : rungs) {
    set_thread_count(rung.all_threads ? 0 : 1);
    rung.convolve(x.data(), w.data(), y.data(), shape);
    const double error = error_of(y, expected);
    if (!(error < largest_error)) exit_code = 1;
    if (check) {
      fmt::print("{:32} error {:.1e}\n", rung.name, error);
      continue;
    }
    const Timing timing = measure(
        Stream::of(Device::cpu), [&] { rung.convolve(x.data(), w.data(), y.data(), shape); }, 7, 0.05);
    fmt::print("{:32} {:9.2f} ms {:7.1f} GFLOP/s   error {:.1e}\n", rung.name, timing.median_seconds * 1e3,
               shape.flops() / timing.median_seconds * 1e-9, error);
  }
  return exit_code;
}

}  // namespace
}  // namespace melgrad::bench::ladder

int main(int argc, char** argv) {
  return melgrad::bench::run_guarded("melgrad_ladder", melgrad::bench::ladder::run, argc, argv);
}
