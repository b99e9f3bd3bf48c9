// The data of the cache: blobs in files that are mapped into memory, so that a set may be larger than the memory.
//
// A shard is two files. DATA holds blobs one after the other, INDEX one record of fixed size for each of them. A blob
// is complete before its record is written, and a record has a checksum, so a killed process loses at most the blob
// that it was writing. A record has the checksum of its blob too, which the reader compares before it uses the blob for
// the first time. Several processes may fill a store: each appends to a shard of its own, which it locks, and sees the
// records of the others. A shard that is removed stays readable for the processes that have mapped it.
//
// The time of the last change of an index is the time at which the shard was last used. A store that has outgrown its
// limit removes the shards that were not used for the longest time, but none that the process itself has used.
//
// Numbers are in the byte order of the machine, because a cache is not used on other machines.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "framework/dataset/cache_key.h"
#include "framework/io/descriptor.h"

namespace melgrad {

enum class BlobKind : uint64_t { log_mel = 1, samples = 2 };

// An entry of the index: where a blob lies and what it holds.
struct BlobRecord {
  CacheKey key;
  BlobKind kind = BlobKind::log_mel;
  std::array<double, 3> numbers{};  // their meaning depends on the kind
  uint64_t offset = 0, bytes = 0;   // in the data
  uint64_t hash = 0;                // XXH3-64 of the data
  bool operator==(const BlobRecord&) const = default;
};

uint64_t blob_hash(std::span<const std::byte> data);

class ShardStore {
 public:
  static constexpr uint64_t no_limit = UINT64_MAX;

  // Reads the indices in the folder. A folder that does not exist is an empty store. `limit`: of the store's size on
  // the disk, in bytes.
  explicit ShardStore(std::filesystem::path folder, uint64_t limit = no_limit);
  ~ShardStore();  // writes the times of use
  ShardStore(const ShardStore&) = delete;
  ShardStore& operator=(const ShardStore&) = delete;

  // All functions may be called by several threads.

  // Looks also for what other processes have added since.
  std::optional<BlobRecord> find(const CacheKey& key);
  // The data of a blob that was found or added, aligned to 64 bytes, mapped as long as the result exists. Null if the
  // shard was removed or cut meanwhile; add() then writes the blob anew.
  std::shared_ptr<const std::byte> data(const BlobRecord& record);
  // Appends a blob, unless there is one of its key. Throws WriteError.
  BlobRecord add(const CacheKey& key, BlobKind kind, const std::array<double, 3>& numbers,
                 std::span<const std::byte> data);
  // Removes a damaged blob from the index. Does nothing if the index cannot be written.
  void discard(const CacheKey& key);

  struct Use {
    uint64_t bytes = 0;  // on the disk
    std::map<BlobKind, uint64_t> blobs;
    std::optional<std::filesystem::file_time_type> oldest, newest;  // use of a shard
  };
  Use use();
  // Removes shards as described above until the store is within its limit. Returns the bytes that were freed. Its
  // callers tell the user.
  uint64_t shrink();
  // The bytes that add() freed to stay within the limit.
  uint64_t freed();
  // Removes all shards that no other process is filling, and data whose index is missing.
  void clear();

 private:
  struct Mapping;
  struct Shard {
    std::filesystem::path index, data;
    uint64_t read = 0;   // bytes of the index
    uint64_t end = 0;    // of the last blob
    uint64_t bytes = 0;  // on the disk
    std::filesystem::file_time_type last_use;
    bool used = false;  // by this process
    bool removed = false;
    std::shared_ptr<const Mapping> mapping;
  };
  struct Place {
    size_t shard;
    uint64_t record;  // position in the index
    BlobRecord blob;
  };
  struct Writer {
    size_t shard;
    Descriptor index, data;
  };

  void refresh();
  void read_index(size_t shard);
  void open_writer();
  bool try_writer(size_t shard);
  size_t new_shard();
  uint64_t total_bytes() const;
  uint64_t remove_least_recently_used(uint64_t most_bytes);
  bool remove(size_t shard);
  Place* find_place(const CacheKey& key);

  const std::filesystem::path folder_;
  const uint64_t limit_, shard_bytes_;
  std::mutex mutex_;
  std::vector<Shard> shards_;
  std::map<std::string, size_t> shard_of_name_;
  std::unordered_map<CacheKey, Place> places_;
  std::unique_ptr<Writer> writer_;
  uint64_t freed_ = 0;
};

}  // namespace melgrad
