// Fuzz target for manifest.csv: an accepted file has tracks with printable labels and lists no file twice.
#include <cstdlib>
#include <set>

#include "framework/dataset/dataset.h"
#include "kernels/device/error.h"
#include "tests/fuzz/fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const melgrad::fuzz::FuzzFile file("manifest.csv");
  melgrad::Dataset dataset;
  try {
    dataset = melgrad::load_dataset(file.hold(bytes, size));
  } catch (const melgrad::Error&) {
    return 0;
  }
  std::set<std::filesystem::path> paths;
  for (const melgrad::Track& track : dataset.tracks) {
    if (!melgrad::why_no_label(dataset.labels.at(static_cast<size_t>(track.label))).empty()) std::abort();
    if (!paths.insert(track.path).second) std::abort();
  }
  return 0;
}
