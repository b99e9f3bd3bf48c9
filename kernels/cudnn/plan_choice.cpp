#include "kernels/cudnn/plan_choice.h"

#include <algorithm>

namespace melgrad::kernel::cudnn {
namespace {

constexpr size_t workspace_limit = size_t{1} << 30;

bool within_limit(const Plan& plan) { return plan.workspace_bytes <= workspace_limit; }

}  // namespace

bool computes_as_promised(const Configuration& configuration, const Convolution& convolution) {
  // What tensor cores make of float32 is TF32, which cuDNN does not note as a conversion.
  return !configuration.loses_precision && !(convolution.dtype == DType::float32 && configuration.tensor_cores);
}

std::vector<Plan> candidate_plans(const Convolution& convolution, const Target& target, bool deterministic,
                                  size_t most) {
  std::vector<Plan> plans, large;
  std::string reason = "its heuristics name no engine that would do";
  try {
    const Graph graph(convolution, target);
    std::vector<Configuration> configurations = graph.configurations();
    std::erase_if(configurations, [&](const Configuration& c) {
      return !computes_as_promised(c, convolution) || (deterministic && c.nondeterministic);
    });
    if (convolution.dtype == DType::bfloat16) {
      std::stable_partition(configurations.begin(), configurations.end(),
                            [](const Configuration& c) { return c.tensor_cores; });
    }
    for (auto it = configurations.begin(); it != configurations.end() && plans.size() < most; ++it) {
      try {
        Plan plan = graph.finalize(std::move(*it));
        (within_limit(plan) ? plans : large).push_back(std::move(plan));
      } catch (const Error& error) {
        reason = error.what();
      }
    }
  } catch (const Error& error) {
    reason = error.what();
  }
  if (plans.empty() && large.empty()) fail("cuDNN has no convolution {}: {}", describe(convolution), reason);
  if (!plans.empty()) return plans;
  large.erase(large.begin() + static_cast<int64_t>(std::min(most, large.size())), large.end());
  return large;
}

Plan plan_of_choice(const EngineChoice& choice, const Convolution& convolution, const Target& target) {
  const Graph graph(convolution, target);
  Plan plan = graph.finalize(graph.configuration(choice));
  MELGRAD_CHECK(computes_as_promised(plan.configuration, convolution), "engine {} does not compute in float32",
                choice.engine);
  return plan;
}

}  // namespace melgrad::kernel::cudnn
