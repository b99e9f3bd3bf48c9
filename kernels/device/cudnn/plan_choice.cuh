// The selection of execution plans that meet the promises on precision and determinism.
#pragma once

#include "kernels/device/cudnn/graph.cuh"

namespace melgrad::kernel::cudnn {

// True if the results have the precision of the dtype: float32 is computed in TF32 only if
// the convolution allows it, and sums are float32.
bool computes_as_promised(const Configuration& configuration, const Convolution& convolution);

// The plans worth measuring, at least one and at most `most`: in 16 bits and TF32 those on tensor cores first, then in
// the order of cuDNN's heuristics. All of them satisfy computes_as_promised; if `deterministic`, none is noted as
// nondeterministic; none needs a workspace of more than 1 GiB, unless all do. Throws Error with cuDNN's reason if there
// is none.
std::vector<ExecutionPlan> candidate_plans(const Convolution& convolution, const Target& target, bool deterministic,
                                           size_t most);

// The plan of an earlier choice. Throws Error if it no longer exists or does not satisfy computes_as_promised.
ExecutionPlan plan_of_choice(const EngineChoice& choice, const Convolution& convolution, const Target& target);

}  // namespace melgrad::kernel::cudnn
