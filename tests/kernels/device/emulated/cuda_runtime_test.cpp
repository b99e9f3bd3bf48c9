// Tests of the emulated device: for every fault that it must detect, a kernel with that fault.
#if MELGRAD_EMULATED

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include "kernels/device/cuda.cuh"
#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

Stream& device() { return Stream::of(Device::cuda); }

// Launches the kernel and waits for it.
template <class... P>
void run(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes, std::type_identity_t<P>... arguments) {
  launch(kernel, grid, block, shared_bytes, device(), arguments...);
  device().synchronize();
}

// The name of this file, which errors of its kernels contain.
const std::string this_file = std::filesystem::path(__FILE__).filename().string();

void expect_all(const std::string& message, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) expect_contains(message, part);
}

// ---- Threads and their orders ----

__global__ void write_visits(int* visits, int* count) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  visits[atomicAdd(count, 1)] = static_cast<int>(block * blockDim.x * blockDim.y * blockDim.z + thread);
}

std::vector<int> visits(dim3 grid, dim3 block) {
  const size_t threads = size_t{grid.x} * grid.y * grid.z * block.x * block.y * block.z;
  const DeviceVector<int> visits(device(), static_cast<int64_t>(threads)), count(device(), std::vector{0});
  launch(write_visits, grid, block, 0, device(), +visits, +count);
  return visits.values();
}

TEST(EmulatedCuda, RunsEveryThreadOnceInThreeOrders) {
  const dim3 grid(2, 3, 2), block(5, 4, 3);
  std::vector<int> all(2 * 3 * 2 * 5 * 4 * 3);
  std::iota(all.begin(), all.end(), 0);
  emulated_cuda::set_order(emulated_cuda::Order::ascending);
  EXPECT_EQ(visits(grid, block), all);
  emulated_cuda::set_order(emulated_cuda::Order::shuffled);
  auto shuffled = visits(grid, block);
  EXPECT_NE(shuffled, all);
  std::sort(shuffled.begin(), shuffled.end());
  EXPECT_EQ(shuffled, all);
  emulated_cuda::set_order(emulated_cuda::Order::descending);
  std::reverse(all.begin(), all.end());
  EXPECT_EQ(visits(grid, block), all);
  emulated_cuda::set_order(emulated_cuda::Order::ascending);
}

// ---- Barriers ----

constexpr int threads = 128;

// Two sums of a block, one after the other. Each needs both barriers.
template <bool after_write, bool before_overwrite>
__global__ void two_sums(const float* x, float* sums) {
  SHARED(float, partial, [threads / warp_size]);
  for (int k = 0; k < 2; ++k) {
    const float sum = warp_sum(x[k * threads + static_cast<int>(threadIdx.x)]);
    if (threadIdx.x % warp_size == 0) partial[threadIdx.x / warp_size] = sum;
    if (after_write) __syncthreads();
    float total = 0;
    for (int warp = 0; warp < threads / warp_size; ++warp) total += partial[warp];
    if (before_overwrite) __syncthreads();
    sums[k * threads + static_cast<int>(threadIdx.x)] = total;
  }
}

// The number of orders in which all threads compute both sums correctly.
int count_correct_orders(void (*kernel)(const float*, float*)) {
  std::vector<float> values(2 * threads);
  std::iota(values.begin(), values.end(), 0.0f);
  int right = 0;
  for (const emulated_cuda::Order order : emulated_cuda::all_orders) {
    emulated_cuda::set_order(order);
    const Array x(device(), values), sums(device(), 2 * threads);
    launch(kernel, 1, threads, 0, device(), x.floats(), sums.floats());
    std::vector<float> expected(threads, 127.0f * 128 / 2);
    expected.insert(expected.end(), threads, 127.0f * 128 / 2 + 128 * 128);
    right += sums.values() == expected;
  }
  emulated_cuda::set_order(emulated_cuda::Order::ascending);
  return right;
}

TEST(EmulatedCuda, DetectsAMissingBarrier) {
  EXPECT_EQ(count_correct_orders(two_sums<true, true>), 3);
  EXPECT_LT(count_correct_orders(two_sums<false, true>), 3);
  EXPECT_LT(count_correct_orders(two_sums<true, false>), 3);
}

__global__ void sum_block(const float* x, float* sums) {
  sums[threadIdx.x] = block_sum<threads>(x[threadIdx.x]) + block_sum<threads>(1.0f);
}

TEST(EmulatedCuda, BlockSumReachesAllThreads) {
  std::vector<float> values(threads);
  std::iota(values.begin(), values.end(), 0.0f);
  const std::vector<float> results = in_every_order([&] {
    const Array x(device(), values), sums(device(), threads);
    launch(sum_block, 1, threads, 0, device(), x.floats(), sums.floats());
    return sums.values();
  });
  EXPECT_EQ(results, std::vector<float>(threads, 127.0f * 128 / 2 + 128));
}

constexpr int divergent_line = __LINE__ + 3;
__global__ void divergent_barrier() {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}

__global__ void early_return() {
  if (threadIdx.x == 40) return;
  __syncthreads();
}

TEST(EmulatedCuda, ReportsADivergentBarrierWithItsLines) {
  const ProfilerRange range(device(), "the_operation");
  expect_all(error_of([] { run(divergent_barrier, 2, 64, 0); }),
             {"the_operation", "block (0, 0, 0)", "divergent barrier", "thread (0, 0, 0)", "thread (32, 0, 0)",
              fmt::format("{}:{}", this_file, divergent_line), fmt::format("{}:{}", this_file, divergent_line + 2)});
  expect_all(error_of([] { run(early_return, 1, 64, 0); }), {"incomplete barrier", "thread (40, 0, 0) has returned"});
  // The device can be used after an error.
  EXPECT_EQ(count_correct_orders(two_sums<true, true>), 3);
}

// ---- Warps ----

__global__ void exchange(int* results) {
  const int lane = static_cast<int>(threadIdx.x);
  results[lane] = __shfl_sync(full_warp, lane, 5);
  results[32 + lane] = __shfl_sync(full_warp, lane, 9, 8);
  results[64 + lane] = __shfl_up_sync(full_warp, lane, 3, 16);
  results[96 + lane] = __shfl_down_sync(full_warp, lane, 3, 16);
  results[128 + lane] = __shfl_xor_sync(full_warp, lane, 6);
  results[160 + lane] = __shfl_xor_sync(full_warp, lane, 16, 16);
  results[192 + lane] = static_cast<int>(__ballot_sync(full_warp, lane % 3 == 0));
  results[224 + lane] = 2 * __any_sync(full_warp, lane == 7) + __all_sync(full_warp, lane < 31);
  __syncwarp();
}

TEST(EmulatedCuda, ShufflesAndVotesAsInTheProgrammingGuide) {
  const DeviceVector<int> block(device(), 256);
  launch(exchange, 1, 32, 0, device(), +block);
  const auto results = block.values();
  for (int lane = 0; lane < 32; ++lane) {
    const auto result = [&](int k) { return results[static_cast<size_t>(32 * k + lane)]; };
    EXPECT_EQ(result(0), 5);
    EXPECT_EQ(result(1), lane / 8 * 8 + 1);
    EXPECT_EQ(result(2), lane % 16 < 3 ? lane : lane - 3);
    EXPECT_EQ(result(3), lane % 16 >= 13 ? lane : lane + 3);
    EXPECT_EQ(result(4), lane ^ 6);
    EXPECT_EQ(result(5), lane < 16 ? lane : lane - 16);  // a lane cannot read a later segment, but an earlier one
    EXPECT_EQ(result(6), 0b01001001001001001001001001001001);
    EXPECT_EQ(result(7), 2);
  }
}

__global__ void read_outside_the_mask(int* result) {
  if (threadIdx.x < 16) result[threadIdx.x] = __shfl_sync(0x0000ffffu, 1, 20);
}
__global__ void call_outside_the_mask(int* result) { result[threadIdx.x] = __shfl_sync(0x0000ffffu, 1, 0); }
__global__ void half_a_warp(int* result) {
  if (threadIdx.x < 16) result[threadIdx.x] = __shfl_sync(full_warp, 1, 0);
}
__global__ void whole_warp(int* result) { result[threadIdx.x] = __shfl_sync(full_warp, 1, 0); }
__global__ void different_calls(int* result) {
  if (threadIdx.x < 16) {
    result[threadIdx.x] = __shfl_sync(full_warp, 1, 0);
  } else {
    result[threadIdx.x] = __any_sync(full_warp, 1);
  }
}

TEST(EmulatedCuda, ReportsWarpOperationsWithMissingLanes) {
  const DeviceVector<int> result(device(), 64);
  const auto error = [&](void (*kernel)(int*), unsigned block) {
    return error_of([&] { run(kernel, 1, block, 0, +result); });
  };
  expect_all(error(read_outside_the_mask, 32), {this_file, "lane 20", "not in the mask 0x0000ffff"});
  expect_all(error(call_outside_the_mask, 32), {this_file, "lane 16 is not in its own mask"});
  expect_all(error(half_a_warp, 32), {"incomplete warp", "for lane 16", "thread (16, 0, 0) has returned"});
  expect_all(error(whole_warp, 33), {"incomplete warp", "for lane 1,", "a block of 33 threads does not have"});
  expect_all(error(different_calls, 32), {"incomplete warp", "for lane 16, but thread (16, 0, 0) waits at"});
}

// ---- Launches ----

__global__ void write(float* to, int64_t index) { to[index] = 1; }

TEST(EmulatedCuda, RefusesLaunchesThatAGpuRefuses) {
  const Array y(device(), 1);
  const ProfilerRange range(device(), "the_operation");
  const auto error = [&](dim3 grid, dim3 block, size_t shared) {
    return error_of([&] { run(write, grid, block, shared, y.floats(), int64_t{0}); });
  };
  expect_all(error(0, 32, 0), {"the_operation", "a grid of 0x1x1"});
  expect_all(error({1, 70000}, 32, 0), {"a grid of 1x70000x1"});
  expect_all(error(1, 1025, 0), {"a block of 1025x1x1"});
  expect_all(error(1, 0, 0), {"a block of 0x1x1"});
  expect_all(error(1, 32, 1 << 20), {"1048576 bytes of shared memory"});
}

TEST(EmulatedCuda, RefusesPointersOutsideDeviceMemory) {
  float on_host = 0;
  float* released = nullptr;
  {
    const Array y(device(), 1);
    released = y.floats();
  }
  expect_all(error_of([&] { run(write, 1, 1, 0, &on_host, int64_t{0}); }),
             {"argument 1 does not point into device memory"});
  expect_all(error_of([&] { run(write, 1, 1, 0, released, int64_t{0}); }),
             {"argument 1 points into device memory that was released"});
}

// ---- Memory ----

TEST(EmulatedCuda, DetectsAnOutputThatNoThreadWrote) {
  {
    const Array earlier(device(), std::vector<float>(3, 1.0f));  // its block is reused
  }
  const Array y(device(), 3);
  launch(write, 1, 1, 0, device(), y.floats(), int64_t{1});
  const auto values = y.values();
  EXPECT_TRUE(std::isnan(values[0]));
  EXPECT_EQ(values[1], 1);
  EXPECT_TRUE(std::isnan(values[2]));
}

__global__ void read_unwritten_shared_memory(float* y) {
  SHARED(float, fixed, [2]);
  DYNAMIC_SHARED(float, dynamic);
  y[2 * blockIdx.x] = fixed[1];
  y[2 * blockIdx.x + 1] = dynamic[0];
  fixed[1] = dynamic[0] = 1;
}

TEST(EmulatedCuda, FillsSharedMemoryOfEveryBlockWithNaN) {
  const Array y(device(), 4);
  launch(read_unwritten_shared_memory, 2, 1, sizeof(float), device(), y.floats());
  for (const float value : y.values()) EXPECT_TRUE(std::isnan(value));
}

TEST(EmulatedCuda, RunsOutOfMemoryWithAnErrorAndRecovers) {
  emulated_cuda::set_device_memory_limit(size_t{1} << 30);
  expect_all(error_of([] { device().allocate(size_t{2} << 30); }),
             {"out of memory on cuda:0 (emulated): 2048.0 MiB requested"});
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  const Array y(device(), 1000);
  emulated_cuda::set_device_memory_limit(SIZE_MAX);
}

TEST(EmulatedCuda, IsTheOnlyGpuOnceItIsInUse) {
  device();
  Stream::choose_gpu(0);
  expect_all(error_of([] { Stream::choose_gpu(1); }), {"cuda:1 cannot be used beside cuda:0"});
}

TEST(EmulatedCudaDeathTest, ReportsLeaksAtExit) {
  EXPECT_EXIT(
      {
        device().allocate(100);
        device().workspace(1000);  // kept until exit by design
        std::exit(0);
      },
      testing::ExitedWithCode(emulated_cuda::leak_exit_code), "leak of 100 bytes");
}

#if defined(__SANITIZE_ADDRESS__)

__global__ void overrun_shared_memory(float* y, int index) {
  SHARED(float, shared, [5]);
  float* start = shared;
  start[index] = 1;
  y[0] = start[index];
}
__global__ void overrun_declared_bound(float* y, int index) {
  SHARED(float, shared, [5][2]);
  y[0] = shared[0][index];
}
__global__ void overrun_dynamic_shared_memory(float* y, int index) {
  DYNAMIC_SHARED(float, shared);
  shared[index] = 1;
  y[0] = shared[index];
}

TEST(EmulatedCudaDeathTest, OverrunOfSharedMemory) {
  const Array y(device(), 1);
  launch(overrun_shared_memory, 1, 1, 0, device(), y.floats(), 4);
  EXPECT_DEATH(run(overrun_shared_memory, 1, 1, 0, y.floats(), 5), "heap-buffer-overflow");
  EXPECT_DEATH(run(overrun_declared_bound, 1, 1, 0, y.floats(), 2), "out of bounds");
  launch(overrun_dynamic_shared_memory, 1, 1, 12, device(), y.floats(), 2);
  EXPECT_DEATH(run(overrun_dynamic_shared_memory, 1, 1, 12, y.floats(), 3), "heap-buffer-overflow");
}

TEST(EmulatedCudaDeathTest, HostUseOfADevicePointer) {
  const Array y(device(), std::vector<float>{1, 2, 3});
  EXPECT_DEATH(std::exit(static_cast<int>(y.floats()[1])), "use-after-poison");
}

TEST(EmulatedCudaDeathTest, OverrunInsideACachedBlock) {
  const Array y(device(), 3);  // the allocator's block is larger
  launch(write, 1, 1, 0, device(), y.floats(), int64_t{2});
  EXPECT_DEATH(run(write, 1, 1, 0, y.floats(), int64_t{3}), "use-after-poison");
  EXPECT_DEATH(run(write, 1, 1, 0, y.floats(), int64_t{-1}), "use-after-poison");
  std::vector<float> host(4);
  EXPECT_DEATH(device().copy(host.data(), y.data(), 4 * sizeof(float)), "use-after-poison");
}

TEST(EmulatedCudaDeathTest, OverrunOfTheWorkspace) {
  device().workspace(1000);
  auto* smaller = static_cast<float*>(device().workspace(3 * sizeof(float)));
  EXPECT_DEATH(run(write, 1, 1, 0, smaller, int64_t{3}), "use-after-poison");
}

struct Hidden {
  float* pointer;
};
__global__ void write_through(Hidden hidden) { *hidden.pointer = 1; }

TEST(EmulatedCudaDeathTest, UseAfterRelease) {
  Hidden hidden{};
  {
    const Array y(device(), 3);
    hidden.pointer = y.floats();
    launch(write_through, 1, 1, 0, device(), hidden);
  }
  EXPECT_DEATH(run(write_through, 1, 1, 0, hidden), "use-after-poison");
}

__global__ void copy_vector(const float* x, float* y) { store(y, load<4>(x)); }

TEST(EmulatedCudaDeathTest, MisalignedVector) {
  const Array x(device(), 8), y(device(), 4);
  launch(copy_vector, 1, 1, 0, device(), x.floats() + 4, y.floats());
  EXPECT_DEATH(run(copy_vector, 1, 1, 0, x.floats() + 1, y.floats()), "misaligned address");
}

#endif

}  // namespace
}  // namespace melgrad::test

#endif
