// The cache of what is computed from audio files. Several processes may share its folder.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "framework/dataset/content_memo.h"
#include "framework/dataset/shard_store.h"

namespace melgrad {

struct CacheSettings {
  static constexpr uint64_t default_limit = 100'000'000'000;

  CacheSettings() = default;
  CacheSettings(std::filesystem::path in, uint64_t most_bytes = default_limit)
      : folder(std::move(in)), limit(most_bytes) {}
  CacheSettings(const char* in) : folder(in) {}

  std::filesystem::path folder;    // empty: no cache
  uint64_t limit = default_limit;  // of the blobs, in bytes

  // The parts of the folder.
  std::filesystem::path shards() const { return folder / "shards"; }
  std::filesystem::path contents() const { return folder / "contents"; }
  std::filesystem::path sets() const { return folder / "sets"; }
};

// All functions may be called by several threads. After the first write that fails, nothing more is written.
class AudioCache {
 public:
  explicit AudioCache(const CacheSettings& settings);

  // Throws what content_hash throws.
  CacheKey key_of(const std::filesystem::path& audio, uint64_t settings);
  std::optional<BlobRecord> find(const CacheKey& key) { return store_ ? store_->find(key) : std::nullopt; }
  std::shared_ptr<const std::byte> data(const BlobRecord& record) { return store_ ? store_->data(record) : nullptr; }
  // Nothing if it is not written.
  std::optional<BlobRecord> add(const CacheKey& key, BlobKind kind, const std::array<double, 3>& numbers,
                                std::span<const std::byte> data);
  void discard(const CacheKey& key) {
    if (store_) store_->discard(key);
  }

  bool is_writable() const { return store_ && !given_up_; }
  // Writes what was learnt of the files. Returns lines for the user: why the cache could not be written, and what was
  // removed from it.
  std::vector<std::string> finish();

 private:
  void give_up(const std::string& reason);

  ContentMemo memo_;
  std::unique_ptr<ShardStore> store_;  // null: no cache
  std::atomic<bool> given_up_ = false;
  std::string reason_;  // written once, read after the threads have ended
};

}  // namespace melgrad
