// Remembers the content hashes of audio files, so that a set is not read again to find its entries in the cache. A file
// counts as unchanged if its path, its place on the disk, its size and its times of change are the same, as in the
// index of git. Files that changed in the last seconds are not remembered: a second change may leave the times as they
// are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <unordered_map>

#include "framework/dataset/cache_key.h"

namespace melgrad {

class ContentMemo {
 public:
  // An empty `file` remembers nothing. A file that does not exist or is damaged is an empty memo.
  explicit ContentMemo(std::filesystem::path file);

  // content_hash(audio), remembered or computed. Several threads may call it.
  ContentHash hash_of(const std::filesystem::path& audio);
  // Writes the file, atomically, if there is something new. Two processes that write at the same time lose the news of
  // one of them. Throws WriteError.
  void save();

 private:
  // A file is taken as unchanged if its stamp is unchanged.
  struct Stamp {
    uint64_t device = 0, inode = 0, size = 0;
    int64_t modified = 0, changed = 0;  // ns
    bool operator==(const Stamp&) const = default;
  };
  struct Entry {
    ContentHash path{};  // XXH3-128 of the absolute path
    Stamp stamp;
    ContentHash content{};
  };
  struct PathHash {
    size_t operator()(const ContentHash& path) const noexcept { return path[0]; }
  };
  static bool read_stamp(const std::filesystem::path& audio, Stamp& stamp);

  const std::filesystem::path file_;
  std::mutex mutex_;
  std::unordered_map<ContentHash, Entry, PathHash> entries_;
  bool changed_ = false;
};

}  // namespace melgrad
