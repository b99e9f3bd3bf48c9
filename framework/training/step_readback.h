// Brings the metrics of a training step to the host while the device computes the next step, so that neither waits for
// the other.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "framework/device_array.h"
#include "kernels/batch_metrics.h"

namespace melgrad {

struct StepResult {
  kernel::BatchMetrics metrics;
  std::span<const int64_t> items;  // of the step's batch
  int64_t number = 0;              // of the step within its epoch, from 1
};

class StepReadback {
 public:
  explicit StepReadback(Stream& stream) : metrics_(1, stream.device()), latest_(stream), previous_(stream) {}

  // The metrics of the step in device memory, written by a kernel.
  kernel::BatchMetrics* metrics() const { return metrics_.data(); }

  // Queues the copy of metrics() to the host. `items` must stay valid until the result was taken.
  void start(std::span<const int64_t> items, int64_t number) {
    std::swap(latest_, previous_);
    latest_.copy->start(metrics_.data());
    latest_.items = items;
    latest_.number = number;
  }

  // Forgets the steps whose results were not taken.
  void clear() { latest_.items = previous_.items = {}; }

  // The result of the step before the latest one; each result is returned once.
  std::optional<StepResult> take_previous() { return take(previous_); }
  // Waits for the latest step.
  std::optional<StepResult> take_latest() { return take(latest_); }

 private:
  struct Pending {
    explicit Pending(Stream& stream) : copy(stream.make_readback(sizeof(kernel::BatchMetrics))) {}
    std::unique_ptr<Readback> copy;
    std::span<const int64_t> items;  // empty: nothing is pending
    int64_t number = 0;
  };

  static std::optional<StepResult> take(Pending& step) {
    if (step.items.empty()) return std::nullopt;
    const auto& metrics = *static_cast<const kernel::BatchMetrics*>(step.copy->wait());
    return StepResult{metrics, std::exchange(step.items, {}), step.number};
  }

  DeviceArray<kernel::BatchMetrics> metrics_;
  Pending latest_, previous_;
};

}  // namespace melgrad
