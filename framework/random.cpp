#include "framework/random.h"

#include <array>
#include <optional>

#include "kernels/counter.h"

namespace melgrad {

Generator::Generator(uint64_t seed, Device device)
    : seed_(seed), own_step_(Tensor::zeros({}, DType::uint64, device)), step_(own_step_.as<uint64_t>()) {}

void Generator::set_step(uint64_t step) {
  own_step_.stream().copy(own_step_.data(), &step, sizeof step);
  follow({}, own_step_.as<uint64_t>());
}

void Generator::advance() {
  MELGRAD_CHECK(!followed_.defined(), "this generator follows a step that it cannot advance");
  kernel::increment(own_step_.stream(), own_step_.as<uint64_t>());
  begin_part(0);
}

void Generator::follow(const Tensor& memory, const uint64_t* step) {
  followed_ = memory;
  step_ = step;
  begin_part(0);
}

void Generator::begin_part(int64_t first) {
  next_stream_ = 0;
  first_ = static_cast<uint64_t>(first);
}

RandomStream Generator::draw() { return {seed_, step_, next_stream_++, first_}; }

namespace {

struct Generators {
  uint64_t seed = 0;
  // Created at first use, because creation opens the device. At exit the generators release their memory to the
  // streams, which are never destroyed.
  std::array<std::optional<Generator>, 2> by_device;
};

Generators& generators() {
  static Generators all;
  return all;
}

}  // namespace

Generator& default_generator(Device device) {
  auto& generator = generators().by_device[static_cast<size_t>(device)];
  if (!generator) generator.emplace(generators().seed, device);
  return *generator;
}

void manual_seed(uint64_t seed) { generators() = {.seed = seed, .by_device = {}}; }

}  // namespace melgrad
