// The meter against kernels whose costs and races are known: sectors per request, bank conflicts and idle threads from
// the CUDA C++ Best Practices Guide, races by construction.
#include "kernels/device/emulated/meter/meter.h"

#include "kernels/device/emulated/meter/report.h"
#include "tests/kernels/device/emulated/meter/textbook_kernels.h"
#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

using emulated_cuda::AccessKind;
using emulated_cuda::Measurement;
using emulated_cuda::Traffic;

constexpr int64_t side = 256, numbers = side * side;

class MeterTest : public testing::Test {
 protected:
  Stream& stream = Stream::of(Device::cuda);
  Array x{stream, std::vector<float>(numbers, 1)}, y{stream, std::vector<float>(numbers, 0)};

  template <class... Arguments>
  Measurement measure(void (*run)(Stream&, Arguments...), std::type_identity_t<Arguments>... arguments) {
    stream.synchronize();
    emulated_cuda::take_measurements();
    run(stream, arguments...);
    stream.synchronize();
    const auto measurements = emulated_cuda::take_measurements();
    EXPECT_EQ(measurements.size(), 1u);
    return measurements.at(0);
  }
  Measurement measure(void (*run)(Stream&, const float*, float*)) { return measure(run, x.floats(), y.floats()); }
};

void expect_traffic(const Traffic& traffic, uint64_t requests, uint64_t transactions, uint64_t least) {
  EXPECT_EQ(traffic.requests, requests);
  EXPECT_EQ(traffic.transactions, transactions);
  EXPECT_EQ(traffic.least, least);
}

TEST_F(MeterTest, ALaneForEachRowTouches32SectorsPerRequest) {
  const Measurement m = measure(meter::copy_strided);
  expect_traffic(m.of(AccessKind::global_load), 8 * 64, 8 * 64 * 32, 8 * 64 * 4);
  expect_traffic(m.of(AccessKind::global_store), 8 * 64, 8 * 64 * 32, 8 * 64 * 4);
  EXPECT_EQ(m.read_bytes, 256 * 64 * sizeof(float));
  EXPECT_EQ(m.read_sectors, 256 * 64 / 8);
}

TEST_F(MeterTest, ACoalescedCopyTouches4SectorsPerRequest) {
  const Measurement m = measure(meter::copy_coalesced);
  expect_traffic(m.of(AccessKind::global_load), numbers / 32, numbers / 8, numbers / 8);
  expect_traffic(m.of(AccessKind::global_store), numbers / 32, numbers / 8, numbers / 8);
  EXPECT_EQ(m.of(AccessKind::global_load).bytes, numbers * sizeof(float));
  EXPECT_EQ(m.written_bytes, numbers * sizeof(float));
  EXPECT_EQ(m.idle_threads, 0u);
}

TEST_F(MeterTest, AMisalignedCopyTouches5SectorsPerRequest) {
  const Measurement m = measure(meter::copy_misaligned);
  // The last request ends with the array, after 31 numbers.
  expect_traffic(m.of(AccessKind::global_load), numbers / 32, numbers / 32 * 5 - 1, numbers / 8);
}

TEST_F(MeterTest, AVectorOf16BytesIsOneRequestOf16Sectors) {
  const Measurement m = measure(meter::copy_vectors);
  expect_traffic(m.of(AccessKind::global_load), numbers / 128, numbers / 8, numbers / 8);
}

TEST_F(MeterTest, AColumnOfAnUnpaddedTileHas32BankConflicts) {
  const Measurement conflicting = measure(meter::transpose_unpadded), padded = measure(meter::transpose_padded);
  expect_traffic(conflicting.of(AccessKind::shared_load), numbers / 32, numbers, numbers / 32);
  expect_traffic(conflicting.of(AccessKind::shared_store), numbers / 32, numbers / 32, numbers / 32);
  expect_traffic(padded.of(AccessKind::shared_load), numbers / 32, numbers / 32, numbers / 32);
  EXPECT_EQ(emulated_cuda::describe_races({conflicting, padded}, true), "");
}

TEST_F(MeterTest, LanesThatLeaveALoopEarlyWaitForTheOthers) {
  const Measurement m = measure(meter::ragged_loops);
  EXPECT_EQ(m.of(AccessKind::global_load).requests, 4u * 31);
}

TEST_F(MeterTest, CountsThreadsWithoutWork) {
  const Measurement m = measure(meter::ragged_blocks);
  EXPECT_EQ(m.blocks * m.threads_of_block, 256u);
  EXPECT_EQ(m.idle_threads, 96u);
}

TEST_F(MeterTest, CountsStaticAndDynamicSharedMemory) {
  const Measurement m = measure(meter::two_shared_arrays);
  EXPECT_EQ(m.static_shared_bytes, 1024u);
  EXPECT_EQ(m.dynamic_shared_bytes, 2048u);
}

TEST_F(MeterTest, ReportsTheRaceOfASumWithoutItsBarrier) {
  const Measurement racing = measure(meter::block_sum_without_barrier);
  ASSERT_FALSE(racing.races.empty());
  const emulated_cuda::Race& race = racing.races.front();
  EXPECT_EQ(race.first_block, race.second_block);
  EXPECT_NE(race.first_thread, race.second_thread);
  const std::string text = emulated_cuda::describe_races({racing});
  for (const char* part :
       {"race in meter::block_sum<false> on shared 'partial'", "textbook_kernels.cu:", "by thread"}) {
    expect_contains(text, part);
  }
  EXPECT_EQ(emulated_cuda::describe_races({measure(meter::block_sum_with_barrier)}, true), "");
}

TEST_F(MeterTest, ReportsLanesThatExchangeDataWithoutSyncwarp) {
  EXPECT_FALSE(measure(meter::neighbours_without_syncwarp).races.empty());
  EXPECT_TRUE(measure(meter::neighbours_with_syncwarp).races.empty());
}

TEST_F(MeterTest, ReportsAnAdditionFromTwoBlocksUnlessItIsAtomic) {
  auto* const bins = reinterpret_cast<int32_t*>(y.floats());
  const Measurement racing = measure(meter::histogram_by_addition, bins);
  ASSERT_FALSE(racing.races.empty());
  EXPECT_NE(racing.races.front().first_block, racing.races.front().second_block);
  expect_contains(emulated_cuda::describe_races({racing}), "on argument 1 + 0");
  EXPECT_TRUE(measure(meter::histogram_by_atomics, bins).races.empty());
}

TEST_F(MeterTest, TellsStoresOfEqualValuesFromOtherRaces) {
  const Measurement m = measure(meter::same_value_from_two_blocks, y.floats());
  ASSERT_EQ(m.races.size(), 1u);
  EXPECT_TRUE(m.races.front().harmless) << "both blocks store 1";
  EXPECT_EQ(emulated_cuda::describe_races({m}), "");
}

// ---- Fences and store buffers ----

class LastBlockTest : public MeterTest {
 protected:
  // The sum 1 + ... + 8, and the races.
  std::pair<float, std::string> run(meter::Fences fences) {
    const Array partials(stream, std::vector<float>(8, 0)), sum(stream, std::vector<float>(1, 0));
    const DeviceVector<unsigned> arrived(stream, std::vector<unsigned>(1, 0));
    const Measurement m = measure(meter::sum_by_last_block, fences, partials.floats(), arrived, sum.floats());
    return {sum.values().front(), emulated_cuda::describe_races({m})};
  }
};

TEST_F(LastBlockTest, ReadsTheOtherBlocksPartialSumsAfterFences) {
  for (const auto order : emulated_cuda::all_orders) {
    emulated_cuda::set_order(order);
    const auto [sum, races] = run(meter::Fences::both);
    EXPECT_EQ(sum, 36);
    EXPECT_EQ(races, "");
  }
  emulated_cuda::set_order(emulated_cuda::Order::ascending);
}

TEST_F(LastBlockTest, ReadsOldValuesWithoutFences) {
  const auto [sum, races] = run(meter::Fences::none);
  EXPECT_EQ(sum, 8) << "only its own partial sum is visible";
}

TEST_F(LastBlockTest, RacesIfTheWriterOrTheReaderHasNoFence) {
  for (const meter::Fences fences : {meter::Fences::none, meter::Fences::no_release, meter::Fences::no_acquire}) {
    expect_contains(run(fences).second, "on argument 2 + 0");
  }
}

}  // namespace
}  // namespace melgrad::test
