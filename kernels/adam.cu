// Adam and AdamW: one launch updates all parameters of a model.
//
// Memory traffic per parameter: 28 bytes with float32 gradients (16 read, 12 written), and 28 bytes with bfloat16
// gradients and a bfloat16 copy of the parameter (14 read, 14 written).
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
  const bool aligned = aligned_to_vector(slot.parameter) && aligned_to_vector(gradients) &&
                       aligned_to_vector(slot.first_moment) && aligned_to_vector(slot.second_moment) &&
                       aligned_to_vector(slot.copy);
  for_each_vector(chunk, slot.n, aligned, [&]<int width>(int64_t i) {
    const auto gradient = load<width>(gradients + i);
    auto parameter = load<width>(slot.parameter + i);
    auto first = load<width>(slot.first_moment + i), second = load<width>(slot.second_moment + i);
    Vector<bfloat16, width> copy;
    for (int k = 0; k < width; ++k) {
      rule.update(parameter[k], to_float(gradient[k]), first[k], second[k]);
      copy[k] = from_float<bfloat16>(parameter[k]);
    }
    store(slot.parameter + i, parameter);
    store(slot.first_moment + i, first);
    store(slot.second_moment + i, second);
    if (slot.copy) store(slot.copy + i, copy);
  });
}

__global__ void __launch_bounds__(chunk_threads)
    adam_chunks(const AdamSlot* slots, const Chunk* chunks, const AdamScalars* scalars, const float* gradient_scale,
                float beta1, float beta2, float epsilon, bool decoupled_weight_decay) {
  const Chunk chunk = chunks[blockIdx.x];
  const AdamSlot slot = slots[chunk.array];
  const AdamRule rule(slot, *scalars, gradient_scale, beta1, beta2, epsilon, decoupled_weight_decay);
  if (slot.gradient_dtype == DType::bfloat16) {
    update<bfloat16>(slot, chunk, rule);
  } else {
    update<float>(slot, chunk, rule);
  }
}

}  // namespace

void adam_step(Stream& stream, const AdamSlot* slots, int64_t, ChunkTable table, const AdamScalars* scalars,
               const float* gradient_scale, float beta1, float beta2, float epsilon, bool decoupled_weight_decay) {
  if (table.count == 0) return;
  launch(adam_chunks, static_cast<unsigned>(table.count), chunk_threads, 0, stream, slots, table.chunks, scalars,
         gradient_scale, beta1, beta2, epsilon, decoupled_weight_decay);
}

}  // namespace melgrad::kernel::cuda
