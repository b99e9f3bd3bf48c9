// A tiny music set that any of the models learns: low, middle and high tones with a track's own pitch.
#pragma once

#include <string>

#include "tests/support/music_folder.h"

namespace melgrad::test {

inline fs::path write_music_set(const fs::path& root, int tracks_per_class = 6) {
  const std::pair<const char*, double> classes[] = {{"low", 200}, {"middle", 900}, {"high", 4000}};
  for (const auto& [name, hertz] : classes) {
    for (int i = 0; i < tracks_per_class; ++i) {
      write_sine(root / name / (std::string(name) + ".0000" + std::to_string(i) + ".wav"), hertz * (1 + 0.05 * i), 1.0);
    }
  }
  return root;
}

}  // namespace melgrad::test
