// The format of a cache entry: a header with the key and checksums, then the decibels of one log-mel spectrogram as
// float32. Numbers are in the byte order of the machine, because a cache is not used on other machines.
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
std::string to_text(const ContentHash& hash);  // 32 hexadecimal digits

// Identifies an entry: XXH3-128 of the audio file's content, XXH3-64 of the settings.
struct CacheKey {
  ContentHash content{};
  uint64_t settings = 0;
  bool operator==(const CacheKey&) const = default;
  std::string file_name() const;  // of the entry
};

// Reads the whole file in pieces. Throws Error naming the file when it cannot be read.
CacheKey make_cache_key(const std::filesystem::path& audio, const MelSettings& settings);

std::string encode_cache_entry(const CacheKey& key, const LogMel& clip);

// Returns nothing unless `bytes` are exactly one undamaged entry of `key` with `n_mels` rows.
std::optional<LogMel> decode_cache_entry(std::string_view bytes, const CacheKey& key, int64_t n_mels);

}  // namespace melgrad
