// All samples of an audio file at once.
#pragma once

#include <filesystem>
#include <vector>

namespace melgrad {

// Decodes the file, mixes it to mono and resamples it to `sample_rate` Hz. Throws what Decoder throws.
std::vector<float> mono_samples(const std::filesystem::path& file, int sample_rate);

}  // namespace melgrad
