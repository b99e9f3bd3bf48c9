// Writes the demo set in the layout of GTZAN: OUT/<genre>/<genre>.00000.wav and so on, 16-bit mono WAV.
#pragma once

#include <filesystem>
#include <functional>

#include "apps/synth/composer.h"

namespace melgrad {

// Composes in parallel. `progress` (may be empty) is called after every track, one call at a time, from any thread.
// `out` must not exist, be empty, or hold an earlier demo set, whose tracks are replaced. Each track is written
// atomically. Throws Error naming the folder or file that cannot be written, and Interrupted between two tracks once
// interrupted() is true.
void write_demo_set(const std::filesystem::path& out, const SynthOptions& options,
                    const std::function<void(int done, int total)>& progress = {});

}  // namespace melgrad
