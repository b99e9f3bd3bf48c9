// Brings the metrics of a training step to the host while the device computes the next step, so that neither waits for
// the other.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "framework/device_array.h"
#include "kernels/batch_metrics.h"

namespace melgrad {

struct StepResult {
  std::vector<kernel::BatchMetrics> metrics;  // of the parts of the batch (step_parts.h), without empty ones
  std::span<const int64_t> items;             // of the step's batch
  int64_t number = 0;                         // of the step within its epoch, from 1
};

class StepReadback {
 public:
  StepReadback(Stream& stream, int64_t parts)
      : metrics_(static_cast<size_t>(parts), stream.device()), latest_(stream, parts), previous_(stream, parts) {}

  // The metrics of a part of the batch in device memory, written by a kernel.
  kernel::BatchMetrics* metrics(int64_t part) const { return metrics_.data() + part; }

  // Queues the copy of the metrics of the first `parts` parts to the host. `items` must stay valid until the result was
  // taken.
  void start(std::span<const int64_t> items, int64_t number, int64_t parts) {
    std::swap(latest_, previous_);
    latest_.copy->start(metrics_.data());
    latest_.parts = static_cast<size_t>(parts);
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
    Pending(Stream& stream, int64_t most_parts)
        : copy(stream.make_readback(static_cast<size_t>(most_parts) * sizeof(kernel::BatchMetrics))) {}
    std::unique_ptr<Readback> copy;
    std::span<const int64_t> items;  // empty: nothing is pending
    int64_t number = 0;
    size_t parts = 0;
  };

  static std::optional<StepResult> take(Pending& step) {
    if (step.items.empty()) return std::nullopt;
    const auto* metrics = static_cast<const kernel::BatchMetrics*>(step.copy->wait());
    return StepResult{{metrics, metrics + step.parts}, std::exchange(step.items, {}), step.number};
  }

  DeviceArray<kernel::BatchMetrics> metrics_;
  Pending latest_, previous_;
};

}  // namespace melgrad
