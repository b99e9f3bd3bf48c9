// Fuzz target for .npy files: the array has as many values as its shape needs, and no more bytes than the file.
#include <cstdlib>

#include "framework/io/npy.h"
#include "kernels/device/error.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const melgrad::fuzz::FuzzFile file("array.npy");
  melgrad::NpyArray array;
  try {
    array = melgrad::read_npy(file.hold(bytes, size));
  } catch (const melgrad::Error&) {
    return 0;
  }
  size_t count = 1;
  for (const int64_t extent : array.shape) count *= static_cast<size_t>(extent);
  if (count != array.values.size() || count * sizeof(float) > size) std::abort();
  return 0;
}
