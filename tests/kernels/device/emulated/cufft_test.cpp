// The emulated cuFFT's own tests: every misuse that it must catch.
#if MELGRAD_EMULATED

#include "kernels/device/emulated/libraries/cufft.h"

#include <cmath>
#include <optional>

#include "tests/support/expect_error.h"
#include "tests/support/kernel_test.h"

namespace melgrad {
namespace {

constexpr int length = 12, bins = 7, row = 14, batch = 5;

// A plan of rows in place.
class EmulatedCufft : public testing::Test {
 protected:
  EmulatedCufft() { cufftCreate(&plan_); }
  ~EmulatedCufft() override { cufftDestroy(plan_); }

  cufftResult make(int distance = row) {
    int n = length, in = distance, out = bins;
    return cufftMakePlanMany(plan_, 1, &n, &in, 1, distance, &out, 1, bins, CUFFT_D2Z, batch, &work_bytes_);
  }
  void make_ready() {
    cufftSetAutoAllocation(plan_, 0);
    ASSERT_EQ(make(), CUFFT_SUCCESS);
    work_.emplace(stream_, work_bytes_);
    cufftSetWorkArea(plan_, work_->get());
  }
  cufftResult execute(void* rows) {
    return cufftExecD2Z(plan_, static_cast<double*>(rows), static_cast<cufftDoubleComplex*>(rows));
  }

  Stream& stream_ = Stream::of(Device::cuda);
  cufftHandle plan_ = 0;
  size_t work_bytes_ = 0;
  std::optional<test::Block> work_;
  test::Block rows_{stream_, batch* row * sizeof(double)};
};

TEST_F(EmulatedCufft, TransformsEachRow) {
  make_ready();
  std::vector<double> signals(batch * row);
  for (int i = 0; i < batch; ++i) signals[static_cast<size_t>(i * row + i)] = 1;  // an impulse at i: bin k is w^(i k)
  rows_.upload(std::span<const double>(signals));
  ASSERT_EQ(execute(rows_.get()), CUFFT_SUCCESS);
  const auto spectra = rows_.download<double>();
  for (int i = 0; i < batch; ++i) {
    for (int k = 0; k < bins; ++k) {
      const double angle = -2 * M_PI * i * k / length;
      EXPECT_NEAR(spectra[static_cast<size_t>(i * row + 2 * k)], std::cos(angle), 1e-14);
      EXPECT_NEAR(spectra[static_cast<size_t>(i * row + 2 * k + 1)], std::sin(angle), 1e-14);
    }
  }
}

TEST_F(EmulatedCufft, WantsAWorkAreaInDeviceMemory) {
  expect_error([&] { make(); }, "would allocate its own work area");
  cufftSetAutoAllocation(plan_, 0);
  make();
  expect_error([&] { execute(rows_.get()); }, "no work area was set");
  std::vector<char> host(work_bytes_);
  cufftSetWorkArea(plan_, host.data());
  expect_error([&] { execute(rows_.get()); }, "the work area");
  const test::Block small(stream_, work_bytes_ / 2);
  cufftSetWorkArea(plan_, small.get());
  expect_error([&] { execute(rows_.get()); }, "the work area");
}

TEST_F(EmulatedCufft, WantsItsDataInDeviceMemory) {
  make_ready();
  std::vector<double> host(batch * row);
  expect_error([&] { execute(host.data()); }, "the input");
  const test::Block small(stream_, batch * length * sizeof(double));
  expect_error([&] { execute(small.get()); }, "the input");
}

TEST_F(EmulatedCufft, KnowsPlansAndTheirErrors) {
  EXPECT_EQ(execute(rows_.get()), CUFFT_INVALID_PLAN);
  cufftSetAutoAllocation(plan_, 0);
  EXPECT_EQ(make(length - 1), CUFFT_INVALID_VALUE);
  EXPECT_EQ(cufftDestroy(plan_ + 1000), CUFFT_INVALID_PLAN);
}

}  // namespace
}  // namespace melgrad

#endif
