#include "framework/dataset/audio_cache.h"

#include "framework/io/atomic_file.h"
#include "framework/terminal/text.h"

namespace melgrad {

AudioCache::AudioCache(const CacheSettings& settings)
    : memo_(settings.folder.empty() ? settings.folder : settings.contents()) {
  if (settings.folder.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(settings.shards(), error);
  if (error) give_up(fmt::format("cannot create {}: {}", settings.shards().string(), error.message()));
  store_ = std::make_unique<ShardStore>(settings.shards(), settings.limit);
}

CacheKey AudioCache::key_of(const std::filesystem::path& audio, uint64_t settings) {
  return {.content = memo_.hash_of(audio), .settings = settings};
}

std::optional<BlobRecord> AudioCache::add(const CacheKey& key, BlobKind kind, const std::array<double, 3>& numbers,
                                          std::span<const std::byte> data) {
  if (!is_writable()) return std::nullopt;
  try {
    return store_->add(key, kind, numbers, data);
  } catch (const WriteError& error) {
    give_up(error.what());
  }
  return std::nullopt;
}

std::vector<std::string> AudioCache::finish() {
  std::vector<std::string> notes;
  if (!store_) return notes;
  try {
    if (!given_up_) memo_.save();
  } catch (const WriteError& error) {
    give_up(error.what());
  }
  if (given_up_) notes.push_back(reason_);
  if (const uint64_t freed = store_->freed(); freed > 0) {
    notes.push_back(fmt::format(
        "the cache was at its limit: {} that were not used for the longest time were removed; see melgrad cache",
        size_text(freed)));
  }
  return notes;
}

void AudioCache::give_up(const std::string& reason) {
  if (given_up_.exchange(true)) return;
  reason_ = fmt::format("features are not cached: {}; set MELGRAD_CACHE to another folder", reason);
}

}  // namespace melgrad
