// Fails every test during which a kernel had a data race. Two writes of equal values are no failure. Tests of the meter
// itself (*Meter*, LastBlock*) take the measurements of their kernels before.
//
// If the environment variable METER_SHAPES names a file, the listener writes the blocks that the tests launched to it,
// one a line: kernel, threads per block, bytes of dynamic shared memory, separated by tabs (tools/kernel_resources.sh).
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <utility>

#include "kernels/device/emulated/meter/meter.h"
#include "kernels/device/emulated/meter/report.h"

namespace {

class RaceListener final : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo&) override { emulated_cuda::start_meter({.sum_launches = true}); }
  void OnTestEnd(const testing::TestInfo&) override {
    emulated_cuda::stop_meter();
    const auto measurements = emulated_cuda::take_measurements();
    EXPECT_EQ(emulated_cuda::describe_races(measurements), "");
    for (const emulated_cuda::Measurement& m : measurements) {
      uint64_t& bytes = shared_bytes_of_shape_[{m.kernel, m.threads_of_block}];
      bytes = std::max(bytes, m.dynamic_shared_bytes);
    }
  }
  void OnTestProgramEnd(const testing::UnitTest&) override {
    const char* const path = std::getenv("METER_SHAPES");
    if (!path) return;
    std::vector<uint64_t> kernels;
    for (const auto& [shape, bytes] : shared_bytes_of_shape_) kernels.push_back(shape.first);
    auto sources = emulated_cuda::find_sources(kernels);
    std::ofstream file(path);
    for (const auto& [shape, bytes] : shared_bytes_of_shape_) {
      file << sources[shape.first].function << '\t' << shape.second << '\t' << bytes << '\n';
    }
  }

  std::map<std::pair<uint64_t, uint64_t>, uint64_t> shared_bytes_of_shape_;  // by kernel and threads of a block
};

[[maybe_unused]] const bool is_registered = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new RaceListener);
  return true;
}();

}  // namespace
