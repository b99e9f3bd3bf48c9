#include "framework/training/step_graphs.h"

#include <utility>

#include "kernels/device/memory.h"

namespace melgrad {
namespace {

constexpr const char* short_of_memory = "there is not enough memory to keep that of a step; use a smaller --batch-size";

class GraphMemoryScope {
 public:
  explicit GraphMemoryScope(GraphRecorder& recorder) : recorder_(recorder) { recorder_.use_graph_memory(true); }
  ~GraphMemoryScope() { recorder_.use_graph_memory(false); }
  GraphMemoryScope(const GraphMemoryScope&) = delete;
  GraphMemoryScope& operator=(const GraphMemoryScope&) = delete;

 private:
  GraphRecorder& recorder_;
};

}  // namespace

StepGraphs::StepGraphs(Stream& stream, bool wanted) : recorder_(wanted ? stream.graph_recorder() : nullptr) {
  if (recorder_) recorder_->when_memory_is_short([this] { give_up(short_of_memory); });
}

StepGraphs::~StepGraphs() { give_up({}); }

void StepGraphs::run(int64_t examples, const std::function<void()>& submit) {
  if (!recorder_) return submit();
  Step& step = steps_[examples];
  // The first step chooses algorithms and allocates what stays. The second moves the blocks of a step to the memory of
  // graphs. From the third on, every step gets the same addresses, which the optimizer has then uploaded.
  constexpr int first_recorded = 4;
  if (step.graph) return step.graph->launch();
  ++step.submitted;
  if (step.submitted == 1) return submit();
  if (step.submitted < first_recorded) {
    const GraphMemoryScope scope(*recorder_);
    return submit();
  }
  if (std::unique_ptr<Graph> graph = record(submit)) {
    step.graph = std::move(graph);
    return step.graph->launch();
  }
  submit();
}

std::unique_ptr<Graph> StepGraphs::record(const std::function<void()>& submit) {
  std::string obstacle;
  try {
    const GraphMemoryScope scope(*recorder_);
    return recorder_->record(submit);
  } catch (const NotRecordable& error) {
    obstacle = error.what();
  } catch (const OutOfMemory&) {
    obstacle = short_of_memory;
  }
  give_up(std::move(obstacle));
  return nullptr;
}

void StepGraphs::give_up(std::string obstacle) {
  steps_.clear();
  GraphRecorder* const recorder = std::exchange(recorder_, nullptr);
  if (!recorder) return;
  obstacle_ = std::move(obstacle);
  recorder->when_memory_is_short({});
  recorder->use_graph_memory(false);
  recorder->release_graph_memory();
}

}  // namespace melgrad
