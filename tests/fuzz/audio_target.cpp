// Fuzz target for audio files: runs every decoder of Decoder over the first 131,072 samples, which must be finite.
#include <cmath>
#include <cstdlib>
#include <vector>

#include "framework/audio/decoder.h"
#include "kernels/device/error.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const melgrad::fuzz::FuzzFile file("audio.mp3");
  const std::filesystem::path& path = file.hold(bytes, size);
  try {
    melgrad::Decoder decoder(path);
    std::vector<float> mono(4096);
    while (decoder.samples() < 1 << 17) {
      const size_t count = decoder.read(mono);
      if (count == 0) break;
      for (size_t i = 0; i < count; ++i) {
        if (!std::isfinite(mono[i])) std::abort();
      }
    }
  } catch (const melgrad::Error&) {
  }
  return 0;
}
