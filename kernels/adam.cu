// Adam and AdamW: one launch updates all parameters of a model.
//
// Memory traffic per parameter: 28 bytes with float32 gradients (16 read, 12 written), and 28 bytes with 16-bit
// gradients and a 16-bit copy of the parameter (14 read, 14 written).
//
// Every value moves once, in accesses of 4 elements. A block takes a chunk of 4096 elements of one parameter, so small
// parameters need no launches of their own.
#include "kernels/adam.h"

#include "kernels/device/chunks.cuh"

namespace melgrad::kernel::cuda {
namespace {

template <class T>
__device__ void update(const AdamSlot& slot, Chunk chunk, const AdamRule& rule) {
  const auto* const gradients = static_cast<const T*>(slot.gradient);
  auto* const copies = static_cast<T*>(slot.copy);
  const bool aligned = aligned_to_vector(slot.parameter) && aligned_to_vector(gradients) &&
                       aligned_to_vector(slot.first_moment) && aligned_to_vector(slot.second_moment) &&
                       aligned_to_vector(copies);
  for_each_vector(chunk, slot.n, aligned, [&]<int width>(int64_t i) {
    const auto gradient = load<width>(gradients + i);
    auto parameter = load<width>(slot.parameter + i);
    auto first = load<width>(slot.first_moment + i), second = load<width>(slot.second_moment + i);
    Vector<T, width> copy;
    for (int k = 0; k < width; ++k) {
      rule.update(parameter[k], to_float(gradient[k]), first[k], second[k]);
      copy[k] = from_float<T>(parameter[k]);
    }
    store(slot.parameter + i, parameter);
    store(slot.first_moment + i, first);
    store(slot.second_moment + i, second);
    if (copies) store(copies + i, copy);
  });
}

__global__ void __launch_bounds__(chunk_threads)
    adam_chunks(const AdamSlot* slots, const Chunk* chunks, const AdamScalars* scalars, const float* gradient_scale,
                float beta1, float beta2, float epsilon, bool decoupled_weight_decay) {
  if (gradient_scale && std::isnan(*gradient_scale)) return;
  const Chunk chunk = chunks[blockIdx.x];
  const AdamSlot slot = slots[chunk.array];
  const AdamRule rule(slot, *scalars, gradient_scale, beta1, beta2, epsilon, decoupled_weight_decay);
  with_gradient_type(slot.gradient_dtype, [&]<class T>() { update<T>(slot, chunk, rule); });
}

}  // namespace

void adam_step(Stream& stream, const AdamSlot* slots, int64_t, ChunkTable table, const AdamScalars* scalars,
               const float* gradient_scale, float beta1, float beta2, float epsilon, bool decoupled_weight_decay) {
  if (table.count == 0) return;
  launch(adam_chunks, static_cast<unsigned>(table.count), chunk_threads, 0, stream, slots, table.chunks, scalars,
         gradient_scale, beta1, beta2, epsilon, decoupled_weight_decay);
}

}  // namespace melgrad::kernel::cuda
