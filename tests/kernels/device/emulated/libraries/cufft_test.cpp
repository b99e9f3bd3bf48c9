// The emulated cuFFT: its results, and every misuse that it must detect.
#if MELGRAD_EMULATED

#include "kernels/device/emulated/libraries/cufft.h"

#include <cmath>
#include <optional>

#include "kernels/device/cuda.cuh"
#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

constexpr int length = 12, bins = 7, row = 14, batch = 5;

// A plan for in-place transforms of rows.
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
    work_.emplace(stream_, static_cast<int64_t>(work_bytes_));
    cufftSetWorkArea(plan_, static_cast<char*>(*work_));
    cufftSetStream(plan_, native_stream(stream_));
  }
  cufftResult execute(void* rows) {
    return cufftExecD2Z(plan_, static_cast<double*>(rows), static_cast<cufftDoubleComplex*>(rows));
  }

  Stream& stream_ = Stream::of(Device::cuda);
  cufftHandle plan_ = 0;
  size_t work_bytes_ = 0;
  std::optional<DeviceVector<char>> work_;
  DeviceVector<double> rows_{stream_, batch* row};
};

TEST_F(EmulatedCufft, TransformsEachRow) {
  make_ready();
  std::vector<double> signals(batch * row);
  for (int i = 0; i < batch; ++i)
    signals[static_cast<size_t>(i * row + i)] = 1;  // an impulse at i, so bin k is w^(i k)
  const DeviceVector<double> rows(stream_, signals);
  ASSERT_EQ(execute(rows), CUFFT_SUCCESS);
  const auto spectra = rows.values();
  for (int i = 0; i < batch; ++i) {
    for (int k = 0; k < bins; ++k) {
      const double angle = -2 * M_PI * i * k / length;
      EXPECT_NEAR(spectra[static_cast<size_t>(i * row + 2 * k)], std::cos(angle), 1e-14);
      EXPECT_NEAR(spectra[static_cast<size_t>(i * row + 2 * k + 1)], std::sin(angle), 1e-14);
    }
  }
}

TEST_F(EmulatedCufft, NeedsAWorkAreaInDeviceMemory) {
  expect_error([&] { make(); }, "would allocate its own work area");
  cufftSetAutoAllocation(plan_, 0);
  make();
  expect_error([&] { execute(rows_); }, "no work area was set");
  std::vector<char> host(work_bytes_);
  cufftSetWorkArea(plan_, host.data());
  expect_error([&] { execute(rows_); }, "the work area");
  const DeviceVector<char> small(stream_, static_cast<int64_t>(work_bytes_ / 2));
  cufftSetWorkArea(plan_, small);
  expect_error([&] { execute(rows_); }, "the work area");
}

TEST_F(EmulatedCufft, NeedsItsDataInDeviceMemory) {
  make_ready();
  std::vector<double> host(batch * row);
  expect_error([&] { execute(host.data()); }, "the input");
  const DeviceVector<double> small(stream_, batch * length);
  expect_error([&] { execute(small); }, "the input");
}

TEST_F(EmulatedCufft, RefusesInvalidPlans) {
  EXPECT_EQ(execute(rows_), CUFFT_INVALID_PLAN);
  cufftSetAutoAllocation(plan_, 0);
  EXPECT_EQ(make(length - 1), CUFFT_INVALID_VALUE);
  EXPECT_EQ(cufftDestroy(plan_ + 1000), CUFFT_INVALID_PLAN);
}

}  // namespace
}  // namespace melgrad::test

#endif
