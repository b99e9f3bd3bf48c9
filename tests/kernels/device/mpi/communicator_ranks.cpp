// Every rank of `mpirun -n N communicator_ranks` checks the communicator against sums computed here. Exit code 0:
// right.
#include "kernels/device/communicator.h"

#include <cstdio>
#include <cstring>
#include <vector>

#include "kernels/device/error.h"
#include "kernels/device/philox.h"

namespace melgrad::test {
namespace {

// Values whose sum depends on the order of the additions.
float value(int rank, size_t i) {
  const Philox4 bits = philox(static_cast<uint64_t>(rank), i, 0);
  return (2 * uniform(bits.v[0]) - 1) * static_cast<float>(1 << (bits.v[1] % 12));
}

void check_all_reduce(Communicator& ranks, size_t count) {
  std::vector<float> values(count), expected(count);
  for (size_t i = 0; i < count; ++i) {
    values[i] = value(ranks.rank(), i);
    expected[i] = value(0, i);
    for (int r = 1; r < ranks.size(); ++r) expected[i] += value(r, i);
  }
  const uint64_t sent_before = ranks.bytes_sent();
  ranks.all_reduce(values.data(), count);
  MELGRAD_CHECK(count == 0 || std::memcmp(values.data(), expected.data(), count * sizeof(float)) == 0,
                "all_reduce of {} values on {} ranks", count, ranks.size());
  // The minimum of a ring, but for shares that differ by one value.
  const auto n = static_cast<double>(ranks.size()), bytes = static_cast<double>(count * sizeof(float));
  const double sent = static_cast<double>(ranks.bytes_sent() - sent_before), least = 2 * (n - 1) / n * bytes;
  MELGRAD_CHECK(sent <= least + 2 * n * sizeof(float), "{} bytes sent for {} values on {} ranks, the minimum is {}",
                sent, count, ranks.size(), least);
}

// The sum of one rank's values and of nothing from the others: -0 is the neutral element of the addition.
void check_neutral_element(Communicator& ranks) {
  const std::vector<float> given{0.0f, -0.0f, 1e-40f, -3.5f};
  for (int owner = 0; owner < ranks.size(); ++owner) {
    std::vector<float> values(given.size(), -0.0f);
    if (ranks.rank() == owner) values = given;
    ranks.all_reduce(values.data(), values.size());
    MELGRAD_CHECK(std::memcmp(values.data(), given.data(), given.size() * sizeof(float)) == 0, "owner {}", owner);
  }
}

void check_broadcast(Communicator& ranks) {
  for (int root = 0; root < ranks.size(); ++root) {
    std::vector<char> bytes(12345, static_cast<char>(ranks.rank()));
    ranks.broadcast(bytes.data(), bytes.size(), root);
    MELGRAD_CHECK(bytes == std::vector<char>(12345, static_cast<char>(root)), "broadcast from {}", root);
  }
}

void check_all_gather(Communicator& ranks) {
  const int64_t mine = 100 + ranks.rank();
  std::vector<int64_t> all(static_cast<size_t>(ranks.size()));
  ranks.all_gather(&mine, sizeof mine, all.data());
  for (size_t r = 0; r < all.size(); ++r) MELGRAD_CHECK(all[r] == 100 + static_cast<int64_t>(r), "all_gather of {}", r);
}

int check_communicator() {
  const std::optional<Launch> launch = launch_of_process();
  const std::unique_ptr<Communicator> connected = launch ? connect(*launch) : nullptr;
  Communicator& ranks = connected ? *connected : single_process();
  for (const size_t count : {0, 1, 2, 3, 4, 5, 7, 31, 1009, 100003}) check_all_reduce(ranks, count);
  check_neutral_element(ranks);
  check_broadcast(ranks);
  check_all_gather(ranks);
  ranks.barrier();
  if (ranks.rank() == 0) std::printf("%d ranks agree\n", ranks.size());
  return 0;
}

}  // namespace
}  // namespace melgrad::test

int main() {
  try {
    return melgrad::test::check_communicator();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
