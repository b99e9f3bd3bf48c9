// A log-mel spectrogram in memory that others may share: of its own, or a mapped shard of the cache.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "framework/audio/log_mel.h"

namespace melgrad {

struct MelClip {
  MelClip() = default;
  // Implicit: a clip in memory of its own.
  MelClip(LogMel mel) : n_mels(mel.n_mels), frames(mel.frames), seconds(mel.seconds) {
    const auto owner = std::make_shared<const std::vector<float>>(std::move(mel.db));
    memory = {owner, owner->data()};
  }

  int64_t n_mels = 0, frames = 0;
  double seconds = 0;                   // length of the audio
  std::shared_ptr<const float> memory;  // [n_mels, frames], row-major
  uint64_t hash = 0;                    // XXH3-64 of the values, if they were not compared with it yet; 0: they were

  std::span<const float> db() const { return {memory.get(), static_cast<size_t>(n_mels * frames)}; }
  // Reads all values. False if the cache was damaged.
  bool is_intact() const;
  // Asks the system to bring the values into memory, and does not wait for it.
  void read_ahead() const;
};

}  // namespace melgrad
