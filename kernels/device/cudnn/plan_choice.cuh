// Which of cuDNN's plans may compute a convolution of ours.
#pragma once

#include "kernels/device/cudnn/graph.cuh"

namespace melgrad::kernel::cudnn {

// Whether results are those that the dtype promises: float32 is not computed in TF32, nor summed up in less.
bool computes_as_promised(const Configuration& configuration, const Convolution& convolution);

// The plans worth measuring, at most `most` and at least one, the likely fastest first: in bfloat16 those on tensor
// cores, then in the order of cuDNN's heuristics. None that does not compute as promised, none that cuDNN notes as
// nondeterministic if `deterministic`, and none that needs a workspace of more than 1 GiB unless all do.
// Throws Error with cuDNN's reason where there is none.
std::vector<ExecutionPlan> candidate_plans(const Convolution& convolution, const Target& target, bool deterministic,
                                           size_t most);

// The plan of a choice made earlier. Throws Error where it no longer exists or does not compute as promised.
ExecutionPlan plan_of_choice(const EngineChoice& choice, const Convolution& convolution, const Target& target);

}  // namespace melgrad::kernel::cudnn
