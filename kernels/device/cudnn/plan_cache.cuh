// The process's cache of execution plans, one per convolution. A plan is chosen by measuring at the first use.
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
  // Runs a plan and returns its time in milliseconds. Throws DeviceError if the device failed, which ends the choice.
  // Throws OutOfMemory or another Error if only this plan cannot run.
  using Measure = std::function<float(const ExecutionPlan&)>;

  // `chip` is the name of the target in the keys of `file`.
  PlanCache(Target target, std::string chip, PlanFile file)
      : target_(std::move(target)), chip_(std::move(chip)), file_(std::move(file)) {}

  // Null before the first choice.
  const ExecutionPlan* find(const Convolution& convolution, bool deterministic) const;

  // Returns the plan from the file if it still runs. Otherwise measures candidate_plans, returns the fastest and saves
  // it in the file, unless another plan lacked memory. If `deterministic`, returns the first candidate without
  // measuring, because measured times, and so the choice, differ from run to run. Throws Error with the reason if no
  // plan exists or runs; OutOfMemory if a plan lacked only memory.
  const ExecutionPlan& choose(const Convolution& convolution, bool deterministic, const Measure& measure);

 private:
  ExecutionPlan saved_or_measured(const Convolution& convolution, const Measure& measure);

  Target target_;
  std::string chip_;
  PlanFile file_;
  std::map<std::pair<bool, Convolution>, ExecutionPlan> plans_;
};

}  // namespace melgrad::kernel::cudnn
