// The plan of every convolution that a process has met: chosen at its first use, by measuring, and kept.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "kernels/device/cudnn/graph.cuh"
#include "kernels/device/cudnn/plan_file.cuh"

namespace melgrad::kernel::cudnn {

class PlanCache {
 public:
  // Runs a plan and says how long that takes, in milliseconds. Throws DeviceError where the device failed, which ends
  // the choice; OutOfMemory or another Error where that plan does not run and the next one may.
  using Measure = std::function<float(const ExecutionPlan&)>;

  // `chip` is the target's name in `file`.
  PlanCache(Target target, std::string chip, PlanFile file)
      : target_(std::move(target)), chip_(std::move(chip)), file_(std::move(file)) {}

  // Null before the first choice.
  const ExecutionPlan* find(const Convolution& convolution, bool deterministic) const;

  // The plan that the file holds, if it still runs, or else the fastest of those worth measuring, which the file then
  // holds, unless memory was lacking for another. If `deterministic`, the first that will do: measured times differ
  // from run to run, and with them the plan. Throws Error with the reason where there is no plan or none runs;
  // OutOfMemory where memory is all that was lacking.
  const ExecutionPlan& choose(const Convolution& convolution, bool deterministic, const Measure& measure);

 private:
  ExecutionPlan kept_or_measured(const Convolution& convolution, const Measure& measure);

  Target target_;
  std::string chip_;
  PlanFile file_;
  std::map<std::pair<bool, Convolution>, ExecutionPlan> plans_;
};

}  // namespace melgrad::kernel::cudnn
