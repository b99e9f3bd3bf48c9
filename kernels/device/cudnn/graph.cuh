// A convolution as a cuDNN operation graph, the engine configurations that cuDNN offers for it, and execution plans.
// NHWC, float32 sums.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/device/convolution.h"
#include "kernels/device/cudnn/descriptor.cuh"

namespace melgrad::kernel::cudnn {

// The chip that plans are made for: the GPU of a handle, or a chip given by its description, which needs no GPU.
class Target {
 public:
  explicit Target(cudnnHandle_t handle) : handle_(handle) {}
  // `json` has the format of CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION. Throws Error with cuDNN older than 9.11.
  // Without a GPU, only precompiled engines can be finalised.
  static Target described_by(const std::string& json);

  cudnnHandle_t handle() const { return handle_; }
  // Sets the attribute `name` to the description of the chip, if there is one.
  void set_chip(Descriptor& descriptor, cudnnBackendAttributeName_t name) const;

 private:
  cudnnHandle_t handle_;
  std::shared_ptr<const Descriptor> chip_;
};

// The number of an engine and the values of its knobs: enough to make the engine configuration again in another
// process.
struct EngineChoice {
  int64_t engine;
  std::vector<std::pair<int64_t, int64_t>> knobs;  // type, value
  bool operator==(const EngineChoice&) const = default;
};

// An engine configuration with its numerical and behaviour notes.
struct Configuration {
  Descriptor descriptor;
  EngineChoice choice;
  bool tensor_cores = false;
  bool loses_precision = false;  // beyond the order of float32 sums
  bool nondeterministic = false;
};

// A finalised configuration. It can be executed.
struct ExecutionPlan {
  Configuration configuration;
  Descriptor descriptor;
  size_t workspace_bytes;
};

// The identifiers of the tensors in a variant pack.
enum TensorId : int64_t { id_x = 1, id_w = 2, id_y = 3 };

class Graph {
 public:
  // Throws Error for a convolution that cuDNN cannot describe.
  Graph(const Convolution& convolution, const Target& target);

  // The configurations that cuDNN's heuristics propose (CUDNN_HEUR_MODE_A), or their fallbacks
  // (CUDNN_HEUR_MODE_FALLBACK), ordered by expected speed, the fastest first.
  std::vector<Configuration> configurations(cudnnBackendHeurMode_t mode) const;
  // Throws Error if this version of cuDNN has no such engine or knob.
  Configuration configuration(const EngineChoice& choice) const;
  // Throws Error if the chip, the installed libraries or the shape do not support the configuration.
  ExecutionPlan finalize(Configuration configuration) const;

 private:
  Target target_;
  std::vector<Descriptor> operands_;  // of the operation; cuDNN does not keep them alive
  std::vector<Descriptor> operations_;
  Descriptor graph_;
};

}  // namespace melgrad::kernel::cudnn
