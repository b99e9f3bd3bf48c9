// Altered copies of a recording, of the kinds that occur in music collections.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace melgrad::bench {

struct Recording {
  std::vector<float> samples;  // mono
  int sample_rate = 0;         // Hz
};

Recording read_recording(const std::filesystem::path& path);

struct Variant {
  std::string name, description;
  int sample_rate = 0;         // Hz; 0: the recording's
  double gain = 1;             // factor for the samples
  double trimmed_seconds = 0;  // removed at the start
  int format = 0;              // SF_FORMAT_... of libsndfile
  double compression = 0;      // 0 (least) to 1, for lossy formats
};

// The variants that the installed libsndfile can write.
std::vector<Variant> writable_variants();

// Throws Error if the file cannot be written.
void write_variant(const std::filesystem::path& path, const Recording& recording, const Variant& variant);

}  // namespace melgrad::bench
