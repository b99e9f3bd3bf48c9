// Training steps as CUDA graphs, one for each number of examples in a batch.
//
// Graphs keep the memory of a step. If it is needed for something else, they are given up, and all later steps are
// submitted operation by operation.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "kernels/device/graph.h"
#include "kernels/device/stream.h"

namespace melgrad {

class StepGraphs {
 public:
  StepGraphs(Stream& stream, bool wanted);
  ~StepGraphs();
  StepGraphs(const StepGraphs&) = delete;
  StepGraphs& operator=(const StepGraphs&) = delete;

  // Submits a step for a batch of `examples`: calls `submit`, or launches what it submitted at an earlier call.
  void run(int64_t examples, const std::function<void()>& submit);
  // Why steps are no longer recorded although the device could; empty if they are or will be.
  const std::string& obstacle() const { return obstacle_; }

 private:
  struct Step {
    int submitted = 0;
    std::unique_ptr<Graph> graph;
  };
  std::unique_ptr<Graph> record(const std::function<void()>& submit);  // null: given up
  void give_up(std::string obstacle);

  GraphRecorder* recorder_;  // null: steps are not recorded
  std::map<int64_t, Step> steps_;
  std::string obstacle_;
};

}  // namespace melgrad
