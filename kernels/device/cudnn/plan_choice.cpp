#include "kernels/device/cudnn/plan_choice.cuh"

#include <algorithm>

namespace melgrad::kernel::cudnn {
namespace {

constexpr size_t workspace_limit = size_t{1} << 30;

// Collects acceptable plans of one convolution until there are enough.
class Collection {
 public:
  Collection(const Convolution& convolution, const Target& target, bool deterministic, size_t most)
      : convolution_(convolution), graph_(convolution, target), deterministic_(deterministic), most_(most) {}

  void add_from(cudnnBackendHeurMode_t mode) {
    if (complete()) return;
    try {
      std::vector<Configuration> configurations = graph_.configurations(mode);
      if (configurations.empty()) reason_ = last_reason();
      if (convolution_.dtype != DType::float32 || convolution_.tf32) {
        std::stable_partition(configurations.begin(), configurations.end(),
                              [](const Configuration& c) { return c.tensor_cores; });
      }
      for (auto it = configurations.begin(); it != configurations.end() && !complete(); ++it) {
        if (is_acceptable(*it)) add(std::move(*it));
      }
    } catch (const Error& error) {
      reason_ = error.what();
    }
  }

  std::vector<ExecutionPlan> take() {
    if (!plans_.empty()) return std::move(plans_);
    if (large_.empty()) fail("{}", reason_);
    large_.erase(large_.begin() + static_cast<int64_t>(std::min(most_, large_.size())), large_.end());
    return std::move(large_);
  }

 private:
  bool complete() const { return plans_.size() >= most_; }

  bool is_acceptable(const Configuration& configuration) const {
    const auto is_it = [&](const ExecutionPlan& plan) { return plan.configuration.choice == configuration.choice; };
    return computes_as_promised(configuration, convolution_) && !(deterministic_ && configuration.nondeterministic) &&
           std::none_of(plans_.begin(), plans_.end(), is_it);
  }

  void add(Configuration configuration) {
    try {
      ExecutionPlan plan = graph_.finalize(std::move(configuration));
      (plan.workspace_bytes > workspace_limit ? large_ : plans_).push_back(std::move(plan));
    } catch (const Error& error) {
      reason_ = error.what();
    }
  }

  Convolution convolution_;
  Graph graph_;
  bool deterministic_;
  size_t most_;
  std::vector<ExecutionPlan> plans_, large_;
  std::string reason_ = "no engine meets the required precision and determinism";
};

}  // namespace

bool computes_as_promised(const Configuration& configuration, const Convolution& convolution) {
  // Tensor cores compute float32 in TF32; cuDNN does not note this as a conversion.
  const bool rounds = convolution.dtype == DType::float32 && configuration.tensor_cores;
  return !configuration.loses_precision && (convolution.tf32 || !rounds);
}

std::vector<ExecutionPlan> candidate_plans(const Convolution& convolution, const Target& target, bool deterministic,
                                           size_t most) {
  try {
    Collection collection(convolution, target, deterministic, most);
    for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) collection.add_from(mode);
    return collection.take();
  } catch (const Error& error) {
    fail("cuDNN has no convolution {}: {}", describe(convolution), error.what());
  }
}

ExecutionPlan plan_of_choice(const EngineChoice& choice, const Convolution& convolution, const Target& target) {
  const Graph graph(convolution, target);
  ExecutionPlan plan = graph.finalize(graph.configuration(choice));
  MELGRAD_CHECK(computes_as_promised(plan.configuration, convolution), "engine {} does not compute in float32",
                choice.engine);
  return plan;
}

}  // namespace melgrad::kernel::cudnn
