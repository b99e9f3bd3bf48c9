// A convolution as a cuDNN operation graph, the engines that can compute it, and the plans that do. NHWC, float32 sums.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/device/convolution.h"
#include "kernels/device/cudnn/descriptor.cuh"

namespace melgrad::kernel::cudnn {

// What plans are made for: the device of a handle, or a chip known by its description alone, which needs no GPU.
class Target {
 public:
  explicit Target(cudnnHandle_t handle) : handle_(handle) {}
  // A JSON object in the format of CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION. Throws Error before cuDNN 9.11. Only
  // precompiled engines can be finalised without a GPU.
  static Target described_by(const std::string& json);

  cudnnHandle_t handle() const { return handle_; }
  // Sets an attribute of a chip's kind, if the target is a described chip.
  void set_chip(Descriptor& descriptor, cudnnBackendAttributeName_t name) const;

 private:
  cudnnHandle_t handle_;
  std::shared_ptr<const Descriptor> chip_;
};

// What makes an engine configuration again, in another process: an engine's number and the settings of its knobs.
struct EngineChoice {
  int64_t engine;
  std::vector<std::pair<int64_t, int64_t>> knobs;  // type, value
  bool operator==(const EngineChoice&) const = default;
};

// A way to compute a graph, with what cuDNN notes about it.
struct Configuration {
  Descriptor descriptor;
  EngineChoice choice;
  bool tensor_cores = false;
  bool loses_precision = false;  // more than the order of float32 sums
  bool nondeterministic = false;
};

// A finalised configuration, which can be executed.
struct ExecutionPlan {
  Configuration configuration;
  Descriptor descriptor;
  size_t workspace_bytes;
};

// The tensors' names in a variant pack.
enum TensorId : int64_t { id_x = 1, id_w = 2, id_y = 3 };

class Graph {
 public:
  // Throws Error for a convolution that cuDNN cannot describe.
  Graph(const Convolution& convolution, const Target& target);

  // What cuDNN's heuristics propose (CUDNN_HEUR_MODE_A) or at worst fall back on (CUDNN_HEUR_MODE_FALLBACK), the one
  // thought fastest first.
  std::vector<Configuration> configurations(cudnnBackendHeurMode_t mode) const;
  // Throws Error when this cuDNN has no such engine or knob.
  Configuration configuration(const EngineChoice& choice) const;
  // Throws Error when the chip, the libraries at hand or the shape do not allow it.
  ExecutionPlan finalize(Configuration configuration) const;

 private:
  Target target_;
  std::vector<Descriptor> operands_;  // of the operation; cuDNN does not own them
  std::vector<Descriptor> operations_;
  Descriptor graph_;
};

}  // namespace melgrad::kernel::cudnn
