// Stream::send_to_host, on each device.
#include "tests/support/kernel_test.h"

#if MELGRAD_EMULATED
#include "kernels/device/emulated/device_memory.h"
#endif

namespace melgrad::test {
namespace {

std::vector<float> take(ArraysInFlight& arrays, size_t i) {
  const std::vector<std::byte> bytes = arrays.take(i);
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

// Expects that the arrays arrive as they were when they were sent.
void expect_values_of_the_moment(Stream& stream) {
  const std::vector<std::vector<float>> values{random_values(33, 1), {}, random_values(1, 2), random_values(5000, 3)};
  std::vector<std::unique_ptr<Array>> arrays;
  std::vector<ArrayBytes> bytes;
  for (const auto& array : values) {
    arrays.push_back(std::make_unique<Array>(stream, array));
    bytes.push_back({arrays.back()->data(), array.size() * sizeof(float)});
  }
  const std::unique_ptr<ArraysInFlight> sent = stream.send_to_host(bytes);
  for (const ArrayBytes& array : bytes) stream.zero(const_cast<void*>(array.data), array.size);
  arrays.clear();
  const Array reuses_the_memory(stream, random_values(5000, 4));
  sent->wait();
  EXPECT_TRUE(sent->arrived());
  for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(take(*sent, i), values[i]);
}

TEST(SendToHost, GivesTheValuesOfTheMoment) {
  for (const Device device : available_devices()) {
    SCOPED_TRACE(name_of(device));
    for (int time = 0; time < 3; ++time) expect_values_of_the_moment(Stream::of(device));
    const auto nothing = Stream::of(device).send_to_host({});
    nothing->wait();
    EXPECT_TRUE(nothing->arrived());
  }
}

TEST(SendToHost, SeveralAreInFlightAtATime) {
  for (const Device device : available_devices()) {
    Stream& stream = Stream::of(device);
    const Array x(stream, std::vector{1.0f});
    const ArrayBytes bytes{x.data(), sizeof(float)};
    const auto first = stream.send_to_host({&bytes, 1});
    const float two = 2;
    stream.copy(x.data(), &two, sizeof two);
    const auto second = stream.send_to_host({&bytes, 1});
    second->wait();
    first->wait();
    EXPECT_EQ(take(*first, 0), std::vector{1.0f});
    EXPECT_EQ(take(*second, 0), std::vector{2.0f});
  }
}

#if MELGRAD_EMULATED
TEST(SendToHost, NeedsNoRoomOnTheDevice) {
  Stream& stream = Stream::of(Device::cuda);
  const Array large(stream, random_values(1 << 20, 1));
  emulated_cuda::set_device_memory_limit(emulated_cuda::device_memory_used());
  const ArrayBytes bytes{large.data(), sizeof(float) << 20};
  const auto sent = stream.send_to_host({&bytes, 1});
  stream.zero(large.data(), bytes.size);
  sent->wait();
  EXPECT_EQ(take(*sent, 0), random_values(1 << 20, 1));
  emulated_cuda::set_device_memory_limit(SIZE_MAX);
}
#endif

}  // namespace
}  // namespace melgrad::test
