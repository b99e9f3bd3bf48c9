// One log-mel spectrogram as a file of the cache: a header that names what it is of and checks itself, then the
// decibels as float32. In the machine's own byte order: a cache is never carried to another machine.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "framework/audio/log_mel.h"

namespace melgrad {

using ContentHash = std::array<uint64_t, 2>;

// What an entry is of: XXH3-128 of the audio file's content, XXH3-64 of the settings.
struct CacheKey {
  ContentHash content{};
  uint64_t settings = 0;
  bool operator==(const CacheKey&) const = default;
  std::string file_name() const;  // of its entry
};

// Reads the whole file, in pieces. Throws Error naming it.
CacheKey make_cache_key(const std::filesystem::path& audio, const MelSettings& settings);

std::string encode_cache_entry(const CacheKey& key, const LogMel& clip);

// Nothing where `bytes` are not exactly an undamaged entry of `key` with `n_mels` rows.
std::optional<LogMel> decode_cache_entry(std::string_view bytes, const CacheKey& key, int64_t n_mels);

}  // namespace melgrad
