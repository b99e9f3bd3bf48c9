// When steps are recorded, and what makes a training go on without graphs.
#include "framework/training/step_graphs.h"

#include "tests/support/kernel_test.h"

#if MELGRAD_EMULATED
#include "kernels/device/emulated/device_memory.h"
#endif

namespace melgrad::test {
namespace {

constexpr size_t block_bytes = size_t{1} << 20;

Stream& gpu() { return Stream::of(Device::cuda); }

void allocate_and_release() { gpu().release(gpu().allocate(block_bytes)); }

// Runs steps of one batch size, and counts those that were submitted instead of launched.
struct Steps {
  StepGraphs graphs{gpu(), true};
  int submitted = 0;

  void run(int steps, const std::function<void()>& work) {
    for (int i = 0; i < steps; ++i) {
      graphs.run(4, [&] {
        ++submitted;
        work();
      });
    }
  }
};

TEST(StepGraphs, TheFourthStepIsRecordedAndLaunchedFromThenOn) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  const Array x(gpu(), std::vector{1.0f}), copy(gpu(), std::vector{0.0f});
  Steps steps;
  steps.run(4, [&] { gpu().copy(copy.data(), x.data(), sizeof(float)); });
  EXPECT_EQ(steps.submitted, 4);
  const float two = 2;
  gpu().copy(x.data(), &two, sizeof two);
  steps.run(3, [] { FAIL() << "a recorded step is submitted"; });
  EXPECT_EQ(steps.submitted, 4);
  EXPECT_EQ(copy.values(), std::vector{2.0f});
  EXPECT_EQ(steps.graphs.obstacle(), "");
}

TEST(StepGraphs, AnUploadIsNamedAndDoneEagerly) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  const Array x(gpu(), std::vector{0.0f});
  float value = 0;
  Steps steps;
  steps.run(6, [&] {
    const ProfilerRange range(gpu(), "dropout");
    value += 1;
    gpu().copy(x.data(), &value, sizeof value);
  });
  EXPECT_EQ(steps.graphs.obstacle(), "dropout copies from the host");
  EXPECT_EQ(steps.submitted, 7) << "the recording that failed, and each step";
}

TEST(StepGraphs, AnAnswerToTheHostIsNamedAndGivenEagerly) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  const Array x(gpu(), std::vector{3.0f});
  Steps steps, waiting;
  float answer = 0;
  steps.run(4, [&] {
    const ProfilerRange range(gpu(), "loss");
    gpu().copy(&answer, x.data(), sizeof answer);
  });
  EXPECT_EQ(steps.graphs.obstacle(), "loss copies to the host");
  EXPECT_EQ(answer, 3);
  waiting.run(4, [] { gpu().synchronize(); });
  EXPECT_EQ(waiting.graphs.obstacle(), "kernel waits for the device");
}

TEST(StepGraphs, WorkAfterAFailedRecordingIsUndisturbed) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  Steps steps;
  steps.run(3, allocate_and_release);
  EXPECT_THROW(steps.run(1, [] { fail("the step fails"); }), Error);
  const Array x(gpu(), std::vector{1.0f, 2.0f});
  EXPECT_EQ(x.values(), (std::vector{1.0f, 2.0f}));
}

#if MELGRAD_EMULATED
class MemoryLimit {
 public:
  explicit MemoryLimit(size_t bytes) { emulated_cuda::set_device_memory_limit(bytes); }
  ~MemoryLimit() { emulated_cuda::set_device_memory_limit(SIZE_MAX); }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;
};

TEST(StepGraphs, GiveTheirMemoryToOtherWork) {
  Steps steps;
  steps.run(4, allocate_and_release);
  const MemoryLimit limit(emulated_cuda::device_memory_used());
  std::vector<void*> others;  // as many as the device still has, and the one of the graph
  while (steps.graphs.obstacle().empty()) others.push_back(gpu().allocate(block_bytes));
  EXPECT_NE(steps.graphs.obstacle().find("not enough memory"), std::string::npos) << steps.graphs.obstacle();
  for (void* block : others) gpu().release(block);
  steps.run(2, allocate_and_release);
  EXPECT_EQ(steps.submitted, 6);
}

TEST(StepGraphs, ARecordingThatFindsNoMemoryIsGivenUp) {
  Steps steps;
  int step = 0;
  const MemoryLimit limit(emulated_cuda::device_memory_used() + 4 * block_bytes);
  steps.run(5, [&] {
    if (++step == 4) gpu().allocate(8 * block_bytes);
  });
  EXPECT_NE(steps.graphs.obstacle().find("not enough memory"), std::string::npos) << steps.graphs.obstacle();
  EXPECT_EQ(step, 6);
}
#endif

}  // namespace
}  // namespace melgrad::test
