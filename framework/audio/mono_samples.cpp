#include "framework/audio/mono_samples.h"

#include "framework/audio/decoder.h"
#include "framework/audio/resampler.h"

namespace melgrad {

std::vector<float> mono_samples(const std::filesystem::path& file, int sample_rate) {
  Decoder decoder(file);
  Resampler resampler(decoder.sample_rate(), sample_rate);
  std::vector<float> piece(1 << 15), samples;
  while (const size_t count = decoder.read(piece)) resampler.process(std::span(piece).first(count), samples);
  resampler.finish(samples);
  return samples;
}

}  // namespace melgrad
