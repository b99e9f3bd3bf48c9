#include "kernels/device/cudnn/plan_cache.cuh"

#include <exception>
#include <limits>

#include "kernels/device/cudnn/plan_choice.cuh"
#include "kernels/device/error.h"
#include "kernels/device/memory.h"
#include "kernels/device/note.h"

namespace melgrad::kernel::cudnn {
namespace {

constexpr size_t plans_to_measure = 10;

// The plan with the shortest time. Sets `lacked_memory` if a plan could not run for lack of memory.
ExecutionPlan fastest(std::vector<ExecutionPlan> plans, const Convolution& convolution,
                      const PlanCache::Measure& measure, bool& lacked_memory) {
  float best_time = std::numeric_limits<float>::infinity();
  ExecutionPlan* best = nullptr;
  std::string reason;
  std::exception_ptr no_memory;
  for (ExecutionPlan& plan : plans) {
    try {
      if (const float time = measure(plan); time < best_time) {
        best_time = time;
        best = &plan;
      }
    } catch (const OutOfMemory&) {
      no_memory = std::current_exception();
      lacked_memory = true;
    } catch (const Error& error) {
      reason = error.what();
    }
  }
  if (!best && no_memory) std::rethrow_exception(no_memory);
  if (!best) fail("cuDNN cannot run any plan of {}: {}", describe(convolution), reason);
  return std::move(*best);
}

}  // namespace

const ExecutionPlan* PlanCache::find(const Convolution& convolution, bool deterministic) const {
  const auto found = plans_.find({deterministic, convolution});
  return found == plans_.end() ? nullptr : &found->second;
}

const ExecutionPlan& PlanCache::choose(const Convolution& convolution, bool deterministic, const Measure& measure) {
  ExecutionPlan plan = deterministic ? std::move(candidate_plans(convolution, target_, true, 1).front())
                                     : saved_or_measured(convolution, measure);
  return plans_.insert_or_assign({deterministic, convolution}, std::move(plan)).first->second;
}

ExecutionPlan PlanCache::saved_or_measured(const Convolution& convolution, const Measure& measure) {
  const std::string key = plan_key(chip_, cudnnGetVersion(), convolution);
  bool lacked_memory = false;
  if (const auto saved = file_.find(key)) {
    try {
      ExecutionPlan plan = plan_of_choice(*saved, convolution, target_);
      measure(plan);  // throws if it does not run, for example with another driver
      return plan;
    } catch (const OutOfMemory&) {
      lacked_memory = true;
    } catch (const Error& error) {
      note_on_stderr(fmt::format("the saved plan of {} is replaced: {}", describe(convolution), error.what()));
    }
  }
  ExecutionPlan plan =
      fastest(candidate_plans(convolution, target_, false, plans_to_measure), convolution, measure, lacked_memory);
  // Another process may have more free memory, so it must not inherit a slower plan.
  if (!lacked_memory) file_.put(key, plan.configuration.choice);
  return plan;
}

}  // namespace melgrad::kernel::cudnn
