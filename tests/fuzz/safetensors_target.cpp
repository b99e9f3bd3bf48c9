// Fuzz target for safetensors files: the tensors have no more bytes than the file.
#include <cstdlib>

#include "framework/io/safetensors.h"
#include "kernels/device/error.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const melgrad::fuzz::FuzzFile file("model.safetensors");
  size_t data = 0;
  try {
    for (const melgrad::SafeTensor& tensor : melgrad::read_safetensors(file.hold(bytes, size)).tensors) {
      data += tensor.bytes.size();
    }
  } catch (const melgrad::Error&) {
    return 0;
  }
  if (data > size) std::abort();
  return 0;
}
