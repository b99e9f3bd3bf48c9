// The MPI plug-in: a Communicator over MPI_COMM_WORLD.
#include <mpi.h>

#include <algorithm>
#include <array>
#include <vector>

#include "kernels/device/error.h"
#include "kernels/device/mpi/plugin.h"

namespace melgrad {
namespace {

// MPI takes counts as int.
constexpr size_t most_bytes = size_t{1} << 30;

std::string text_of(int code) {
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  return {text.data(), static_cast<size_t>(length)};
}

void check(int code, const char* call) {
  if (code != MPI_SUCCESS) throw DeviceError(fmt::format("{} failed: {}", call, text_of(code)));
}

class MpiCommunicator : public Communicator {
 public:
  MpiCommunicator() {
    check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
  }
  ~MpiCommunicator() override { MPI_Finalize(); }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  uint64_t bytes_sent() const override { return sent_; }

  void all_reduce(float* values, size_t count) override {
    constexpr size_t most = most_bytes / sizeof(float);
    for (size_t first = 0; first < count; first += most) reduce_block(values + first, std::min(most, count - first));
  }

  void broadcast(void* bytes, size_t count, int root) override {
    for (size_t first = 0; first < count; first += most_bytes) {
      const size_t n = std::min(most_bytes, count - first);
      check(MPI_Bcast(static_cast<char*>(bytes) + first, static_cast<int>(n), MPI_BYTE, root, MPI_COMM_WORLD),
            "MPI_Bcast");
      if (rank_ == root) sent_ += n;
    }
  }

  void all_gather(const void* mine, size_t count, void* all) override {
    MELGRAD_CHECK(count <= most_bytes, "all_gather takes at most {} bytes of a rank, got {}", most_bytes, count);
    const int n = static_cast<int>(count);
    check(MPI_Allgather(mine, n, MPI_BYTE, all, n, MPI_BYTE, MPI_COMM_WORLD), "MPI_Allgather");
    sent_ += count * static_cast<size_t>(size_ - 1);
  }

  void barrier() override { check(MPI_Barrier(MPI_COMM_WORLD), "MPI_Barrier"); }

 private:
  // The share of the values that rank r sums up.
  struct Share {
    size_t first, count;
  };
  Share share_of(int r, size_t count) const {
    const auto ranks = static_cast<size_t>(size_), index = static_cast<size_t>(r);
    const size_t begin = count * index / ranks;
    return {begin, count * (index + 1) / ranks - begin};
  }

  // Every rank gets the others' values of its share, adds them in rank order, and sends the sums to all.
  void reduce_block(float* values, size_t count) {
    const Share mine = share_of(rank_, count);
    received_.resize(mine.count * static_cast<size_t>(size_ - 1));
    std::vector<MPI_Request> requests;
    const auto exchange = [&](const auto& receive, const auto& send) {
      requests.clear();
      // Rank r + 1 first, so that not all ranks send to the same one.
      for (int step = 1; step < size_; ++step) receive((rank_ + step) % size_);
      for (int step = 1; step < size_; ++step) send((rank_ + step) % size_);
      check(MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
    };
    const auto receive_into = [&](float* to, size_t n, int from) {
      check(MPI_Irecv(to, static_cast<int>(n), MPI_FLOAT, from, 0, MPI_COMM_WORLD, &requests.emplace_back()),
            "MPI_Irecv");
    };
    const auto send_from = [&](const float* from, size_t n, int to) {
      check(MPI_Isend(from, static_cast<int>(n), MPI_FLOAT, to, 0, MPI_COMM_WORLD, &requests.emplace_back()),
            "MPI_Isend");
      sent_ += n * sizeof(float);
    };
    const auto received_from = [&](int r) {
      return received_.data() + mine.count * static_cast<size_t>(r < rank_ ? r : r - 1);
    };
    exchange([&](int r) { receive_into(received_from(r), mine.count, r); },
             [&](int r) { send_from(values + share_of(r, count).first, share_of(r, count).count, r); });
    float* const own = values + mine.first;
    for (size_t i = 0; i < mine.count; ++i) {
      float sum = rank_ == 0 ? own[i] : received_[i];
      for (int r = 1; r < size_; ++r) sum += r == rank_ ? own[i] : received_from(r)[i];
      own[i] = sum;
    }
    exchange([&](int r) { receive_into(values + share_of(r, count).first, share_of(r, count).count, r); },
             [&](int r) { send_from(own, mine.count, r); });
  }

  int rank_ = 0, size_ = 1;
  uint64_t sent_ = 0;
  std::vector<float> received_;
};

}  // namespace
}  // namespace melgrad

extern "C" melgrad::Communicator* melgrad_make_mpi_communicator_1(std::string* error) {
  // Open MPI prints many lines about a failed start itself.
  int provided = 0;
  const int code = MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  if (code != MPI_SUCCESS) {
    *error = "MPI cannot start: " + melgrad::text_of(code) + "; see docs/cluster.md";
    return nullptr;
  }
  try {
    return new melgrad::MpiCommunicator;
  } catch (const melgrad::DeviceError& failure) {
    *error = failure.what();
    return nullptr;
  }
}
