// With MELGRAD_TEST_DETERMINISTIC in the environment, tests take one execution plan for each convolution and measure
// none. compute-sanitizer makes each run of a plan some hundred times slower.
#include "kernels/device/deterministic.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace melgrad::test {
namespace {

class Deterministic : public testing::Environment {
 public:
  void SetUp() override {
    if (std::getenv("MELGRAD_TEST_DETERMINISTIC")) kernel::set_deterministic(true);
  }
};

const testing::Environment* const registered = testing::AddGlobalTestEnvironment(new Deterministic);

}  // namespace
}  // namespace melgrad::test
