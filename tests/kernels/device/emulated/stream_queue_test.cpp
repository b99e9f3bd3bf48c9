// Mistakes of host code that an asynchronous device reveals: each is made here on purpose.
#if MELGRAD_EMULATED

#include <cmath>

#include "kernels/device/cuda.cuh"
#include "kernels/device/cuda_owners.cuh"
#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

Stream& device() { return Stream::of(Device::cuda); }

__global__ void add_one(float* x) { x[threadIdx.x] += 1; }

struct PinnedFloats {
  PinnedMemory memory;
  float* values;
  explicit PinnedFloats(size_t n)
      : memory(make_pinned_memory(n * sizeof(float))), values(reinterpret_cast<float*>(memory.get())) {}
};

void copy(void* to, const void* from, size_t floats) {
  cuda_check(cudaMemcpyAsync(to, from, floats * sizeof(float), cudaMemcpyDefault, native_stream(device())), "copy");
}

TEST(StreamQueue, AnUploadReadsPinnedMemoryLater) {
  PinnedFloats pinned(1);
  const Array x(device(), 1);
  pinned.values[0] = 1;
  copy(x.data(), pinned.values, 1);
  pinned.values[0] = 2;  // the mistake: the copy has not read it yet
  EXPECT_EQ(x.values(), std::vector{2.0f});
}

TEST(StreamQueue, AnUploadHasReadPageableMemoryWhenItReturns) {
  float pageable = 1;
  const Array x(device(), 1);
  copy(x.data(), &pageable, 1);
  pageable = 2;
  EXPECT_EQ(x.values(), std::vector{1.0f});
}

TEST(StreamQueue, AReadbackArrivesAfterAnAwaitedEvent) {
  PinnedFloats pinned(1);
  const Array x(device(), std::vector{5.0f});
  const OwnedEvent arrived = make_event(cudaEventDisableTiming);
  copy(pinned.values, x.data(), 1);
  cuda_check(cudaEventRecord(arrived.get(), native_stream(device())), "record");
  EXPECT_TRUE(std::isnan(pinned.values[0])) << "nothing waited yet";
  cuda_check(cudaEventSynchronize(arrived.get()), "wait");
  EXPECT_EQ(pinned.values[0], 5);
}

TEST(StreamQueue, AnEventDoesNotWaitForLaterWork) {
  PinnedFloats before(1), after(1);
  const Array x(device(), std::vector{5.0f});
  const OwnedEvent event = make_event(cudaEventDisableTiming);
  copy(before.values, x.data(), 1);
  cuda_check(cudaEventRecord(event.get(), native_stream(device())), "record");
  launch(add_one, 1, 1, 0, device(), x.floats());
  copy(after.values, x.data(), 1);
  cuda_check(cudaEventSynchronize(event.get()), "wait");
  EXPECT_EQ(before.values[0], 5);
  EXPECT_TRUE(std::isnan(after.values[0]));
  device().synchronize();
  EXPECT_EQ(after.values[0], 6);
}

TEST(StreamQueue, AnotherStreamWaitsForAnEvent) {
  PinnedFloats result(1);
  const Array x(device(), std::vector{5.0f});
  const OwnedStream other = make_stream(cudaStreamNonBlocking);
  const OwnedEvent added = make_event(cudaEventDisableTiming), arrived = make_event(cudaEventDisableTiming);
  launch(add_one, 1, 1, 0, device(), x.floats());
  cuda_check(cudaEventRecord(added.get(), native_stream(device())), "record");
  launch(add_one, 1, 1, 0, device(), x.floats());
  cuda_check(cudaStreamWaitEvent(other.get(), added.get(), 0), "wait");
  cuda_check(cudaMemcpyAsync(result.values, x.data(), sizeof(float), cudaMemcpyDefault, other.get()), "copy");
  cuda_check(cudaEventRecord(arrived.get(), other.get()), "record");
  EXPECT_TRUE(std::isnan(result.values[0])) << "nothing waited yet";
  cuda_check(cudaEventSynchronize(arrived.get()), "wait");
  EXPECT_EQ(result.values[0], 6) << "the second addition is not awaited";
}

TEST(StreamQueue, AReleasedBlockServesTheWorkQueuedBefore) {
  PinnedFloats first(1), second(1);
  const void* address = nullptr;
  {
    const Array x(device(), std::vector{1.0f});
    address = x.data();
    launch(add_one, 1, 1, 0, device(), x.floats());
    copy(first.values, x.data(), 1);
  }
  const Array reused(device(), 1);
  EXPECT_EQ(reused.data(), address);
  copy(second.values, reused.data(), 1);
  device().synchronize();
  EXPECT_EQ(first.values[0], 2);
  EXPECT_TRUE(std::isnan(second.values[0])) << "the new owner wrote nothing";
}

TEST(StreamQueue, AnErrorOfAKernelAppearsWhenTheHostWaits) {
  const ProfilerRange range(device(), "the_operation");
  launch(
      +[](float*) { __syncwarp(1u << threadIdx.x ^ 3u); }, 1, 32, 0, device(), nullptr);
  const Array x(device(), std::vector{1.0f});
  launch(add_one, 1, 1, 0, device(), x.floats());
  expect_contains(error_of([] { device().synchronize(); }), "the_operation: block (0, 0, 0)");
  EXPECT_EQ(x.values(), std::vector{2.0f}) << "later work runs";
}

#if defined(__SANITIZE_ADDRESS__)
TEST(StreamQueueDeathTest, PinnedMemoryFreedBeforeTheCopy) {
  const Array x(device(), 1);
  EXPECT_DEATH(
      {
        copy(x.data(), PinnedFloats(1).values, 1);
        device().synchronize();
      },
      "heap-use-after-free");
}
#endif

}  // namespace
}  // namespace melgrad::test

#endif
