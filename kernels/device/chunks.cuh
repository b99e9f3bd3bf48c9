// The loop of a block's threads over one chunk, in accesses of 4 elements: 16 bytes of float32, 8 of bfloat16.
#pragma once

#include "kernels/device/chunks.h"
#include "kernels/device/cuda.cuh"

namespace melgrad::kernel::cuda {

constexpr int chunk_threads = 256;
constexpr int chunk_vector = 4;  // elements per access

template <class T>
__device__ bool aligned_to_vector(const T* pointer) {
  return reinterpret_cast<uintptr_t>(pointer) % (chunk_vector * sizeof(T)) == 0;
}

// Calls body.operator()<T>() with the element type of a gradient.
template <class Body>
__device__ auto with_gradient_type(DType dtype, Body body) {
  if (dtype == DType::bfloat16) return body.template operator()<bfloat16>();
  if (dtype == DType::float16) return body.template operator()<float16>();
  return body.template operator()<float>();
}

// Calls body.operator()<width>(i) for elements i, ..., i + width - 1 of an array of n, until the chunk is covered. The
// width is chunk_vector if `aligned`; it is 1 if not, and for the rest at the end of the array.
template <class Body>
__device__ void for_each_vector(Chunk chunk, int64_t n, bool aligned, Body body) {
  const int64_t begin = chunk.index * chunk_elements, end = min(n, begin + chunk_elements);
  const int64_t whole = aligned ? end - (end - begin) % chunk_vector : begin;
  for (int64_t i = begin + threadIdx.x * chunk_vector; i < whole; i += chunk_threads * chunk_vector) {
    body.template operator()<chunk_vector>(i);
  }
  for (int64_t i = whole + threadIdx.x; i < end; i += chunk_threads) body.template operator()<1>(i);
}

}  // namespace melgrad::kernel::cuda
