// Copies of a recording as they come about in music collections.
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
  int sample_rate = 0;         // Hz; 0: as the recording
  double gain = 1;             // of the samples
  double trimmed_seconds = 0;  // at the start
  int format = 0;              // libsndfile's
  double compression = 0;      // 0 (least) to 1, of a lossy format
};

// Those that the installed libsndfile can write.
std::vector<Variant> writable_variants();

// Throws Error when the file cannot be written.
void write_variant(const std::filesystem::path& path, const Recording& recording, const Variant& variant);

}  // namespace melgrad::bench
