// The keys of the cache. They depend on the content of an audio file and on settings, not on the file's path or date: a
// moved file is found again, a changed file is computed again.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace melgrad {

using ContentHash = std::array<uint64_t, 2>;
std::string to_text(const ContentHash& hash);  // 32 hexadecimal digits

struct CacheKey {
  ContentHash content{};  // of the audio file
  uint64_t settings = 0;  // settings_hash()
  bool operator==(const CacheKey&) const = default;
};

// XXH3-128 of the content. Reads the whole file in pieces. Throws Error naming the file when it cannot be read.
ContentHash content_hash(const std::filesystem::path& audio);

// XXH3-64 of a line that describes what is computed from the audio.
uint64_t settings_hash(std::string_view description);

}  // namespace melgrad

template <>
struct std::hash<melgrad::CacheKey> {
  size_t operator()(const melgrad::CacheKey& key) const noexcept { return key.content[0] ^ key.settings; }
};
