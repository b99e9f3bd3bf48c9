#include "framework/random.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/devices.h"

namespace melgrad::test {
namespace {

// The first numbers of a stream, which identify it.
std::vector<uint32_t> numbers(const RandomStream& random) {
  std::vector<uint32_t> result;
  for (uint64_t i = 0; i < 4; ++i) {
    for (const uint32_t bits : random.draw(i).v) result.push_back(bits);
  }
  return result;
}

TEST(Generator, DependsOnTheStepAndNotOnEarlierDraws) {
  Generator busy(7), fresh(7);
  for (uint64_t step = 0; step < 3; ++step) {
    busy.set_step(step);
    for (uint64_t i = 0; i <= step; ++i) numbers(busy.draw());
  }
  busy.set_step(41);
  fresh.set_step(41);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(numbers(busy.draw()), numbers(fresh.draw())) << "draw " << i;
}

TEST(Generator, AdvancesToTheNextStep) {
  Generator advanced(7), set(7);
  advanced.set_step(41);
  advanced.draw();
  advanced.advance();
  advanced.advance();
  set.set_step(43);
  EXPECT_EQ(numbers(advanced.draw()), numbers(set.draw()));
}

TEST(Generator, StartsAtStepZero) {
  Generator fresh(7), set(7);
  set.set_step(0);
  EXPECT_EQ(numbers(fresh.draw()), numbers(set.draw()));
}

TEST(Generator, EverySeedStepAndDrawHasItsOwnStream) {
  std::set<std::vector<uint32_t>> seen;
  for (const uint64_t seed : {0ull, 1ull, 1ull << 32, ~0ull}) {
    Generator generator(seed);
    for (const uint64_t step : {0ull, 1ull, 2ull, 65536ull, 1ull << 40}) {
      generator.set_step(step);
      for (int draw = 0; draw < 5; ++draw) EXPECT_TRUE(seen.insert(numbers(generator.draw())).second);
    }
  }
}

TEST(Generator, ManualSeedRestartsTheDefaultGenerator) {
  manual_seed(3);
  const auto first = numbers(default_generator(Device::cpu).draw()),
             second = numbers(default_generator(Device::cpu).draw());
  EXPECT_NE(first, second);
  manual_seed(3);
  EXPECT_EQ(numbers(default_generator(Device::cpu).draw()), first);
  EXPECT_EQ(numbers(Generator(3).draw()), first);
  manual_seed(4);
  EXPECT_NE(numbers(default_generator(Device::cpu).draw()), first);
}

TEST(Generator, CountsStepsOnTheDevice) {
  MELGRAD_SKIP_WITHOUT_CUDA();
  Generator generator(7, Device::cuda);
  generator.set_step(41);
  generator.advance();
  uint64_t step = 0;
  Stream::of(Device::cuda).copy(&step, generator.draw().step, sizeof step);
  EXPECT_EQ(step, 42u);
}

}  // namespace
}  // namespace melgrad::test
