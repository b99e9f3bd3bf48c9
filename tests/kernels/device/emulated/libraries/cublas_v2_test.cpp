// The emulated cuBLAS: its results, and misuse that it must detect although cuBLAS accepts it.
#if MELGRAD_EMULATED

#include "kernels/device/cublas.cuh"
#include "tests/support/kernel_test.h"

namespace melgrad::test {
namespace {

Stream& device() { return Stream::of(Device::cuda); }

// c = 2 a^T b + beta c with a [3, 2], b [3, 1] and c [2, 1]. The leading dimension of a and b is 4.
cublasStatus_t multiply(cublasHandle_t handle, const void* a, const Array& b, float beta, const Array& c) {
  const float alpha = 2;
  return cublasGemmEx(handle, CUBLAS_OP_T, CUBLAS_OP_N, 2, 1, 3, &alpha, a, CUDA_R_32F, 4, b.data(), CUDA_R_32F, 4,
                      &beta, c.data(), CUDA_R_32F, 2, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
}

struct EmulatedCublas : testing::Test {
  std::vector<float> columns{1, 2, 3, 99, 4, 5, 6, 99};
  Array a{device(), columns}, b{device(), {1, 10, 100, 99}}, c{device(), std::vector<float>{1, 2}};
};

TEST_F(EmulatedCublas, MatricesAreColumnMajor) {
  ASSERT_EQ(multiply(cublas_handle(device()), a.data(), b, 1, c), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(c.values(), (std::vector<float>{643, 1310}));
}

TEST_F(EmulatedCublas, BetaZeroDoesNotReadTheResult) {
  const Array unwritten(device(), 2);
  ASSERT_EQ(multiply(cublas_handle(device()), a.data(), b, 0, unwritten), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(unwritten.values(), (std::vector<float>{642, 1308}));
}

TEST_F(EmulatedCublas, RefusesHostMemory) {
  EXPECT_EQ(multiply(cublas_handle(device()), columns.data(), b, 1, c), CUBLAS_STATUS_INVALID_VALUE);
}

TEST_F(EmulatedCublas, NeedsAWorkspaceFromTheStream) {
  cublasHandle_t handle = nullptr;
  ASSERT_EQ(cublasCreate(&handle), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(cublasSetWorkspace(handle, columns.data(), 32), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(cublasSetWorkspace(handle, device().workspace(32), 32), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(cublasSetStream(handle, native_stream(device())), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(multiply(handle, a.data(), b, 1, c), CUBLAS_STATUS_NOT_INITIALIZED);
  EXPECT_EQ(cublasDestroy(handle), CUBLAS_STATUS_SUCCESS);
}

TEST_F(EmulatedCublas, AnErrorNamesTheCallAndTheReason) {
  EXPECT_EQ(error_of([] { cublas_check(CUBLAS_STATUS_NOT_SUPPORTED, "linear_forward"); }),
            "linear_forward: the functionality requested is not supported");
}

TEST_F(EmulatedCublas, OutOfMemoryNamesTheBytesUsedHeldAndFree) {
  const MemoryUse memory = device().memory();
  emulated_cuda::set_device_memory_limit(emulated_cuda::device_memory_used() + (3 << 20));
  try {
    cublas_check(CUBLAS_STATUS_ALLOC_FAILED, "cublasCreate");
    ADD_FAILURE();
  } catch (const OutOfMemory& error) {
    EXPECT_EQ(error.what(), fmt::format("cublasCreate: out of memory on cuda:0 (emulated): {} in use, {} held, 3.0 MiB "
                                        "free",
                                        mebibytes(memory.used), mebibytes(memory.held)));
    EXPECT_EQ(error.capacity, memory.held + (3 << 20));
  }
  emulated_cuda::set_device_memory_limit(SIZE_MAX);
}

}  // namespace
}  // namespace melgrad::test

#endif
