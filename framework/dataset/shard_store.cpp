#include "framework/dataset/shard_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <type_traits>

#include "framework/io/atomic_file.h"
#include "framework/terminal/text.h"
#include "kernels/device/ceil_divide.h"

namespace melgrad {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t alignment = 64;  // of blobs: a cache line
constexpr uint64_t most_shard_bytes = uint64_t{256} << 20, least_shard_bytes = uint64_t{1} << 20;

// The form of a record in the index.
struct StoredRecord {
  // Raise the digit when the form of a record, or the arithmetic of what the blobs hold, changes.
  std::array<char, 8> magic = {'m', 'e', 'l', 's', 'h', 'r', 'd', '1'};
  BlobRecord blob;
  uint64_t record_hash = 0;  // of the fields above
};
static_assert(std::is_trivially_copyable_v<StoredRecord> && sizeof(StoredRecord) == 96,
              "hashed and written as bytes: no padding");

uint64_t hash_of(const StoredRecord& record) { return XXH3_64bits(&record, offsetof(StoredRecord, record_hash)); }

bool is_valid(const StoredRecord& record) {
  return record.magic == StoredRecord().magic && record.record_hash == hash_of(record) &&
         record.blob.offset % alignment == 0;
}

int open_for_writing(const fs::path& path, int flags = 0) {
  return open(path.c_str(), O_RDWR | O_CLOEXEC | flags, 0666);
}

void write_at(const Descriptor& file, const fs::path& path, std::span<const std::byte> bytes, uint64_t position) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(position));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_to_write(path, errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
    position += static_cast<uint64_t>(written);
  }
}

// 0 if the file does not exist.
struct stat status_of(const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {};
  return status;
}

uint64_t disk_bytes(const fs::path& path) {
  constexpr uint64_t block_bytes = 512;  // of st_blocks
  return static_cast<uint64_t>(status_of(path).st_blocks) * block_bytes;
}

uint64_t end_of(const BlobRecord& blob) { return ceil_divide(blob.offset + blob.bytes, alignment) * alignment; }

}  // namespace

uint64_t blob_hash(std::span<const std::byte> data) { return XXH3_64bits(data.data(), data.size()); }

struct ShardStore::Mapping {
  Mapping(const Descriptor& file, size_t length)
      : memory(mmap(nullptr, length, PROT_READ, MAP_SHARED, file.get(), 0)), bytes(length) {}
  ~Mapping() {
    if (memory != MAP_FAILED) munmap(memory, bytes);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  void* memory;
  size_t bytes;
};

ShardStore::ShardStore(fs::path folder, uint64_t limit)
    : folder_(std::move(folder)),
      limit_(limit),
      shard_bytes_(std::clamp(limit / 16, least_shard_bytes, most_shard_bytes)) {
  refresh();
}

ShardStore::~ShardStore() {
  for (const Shard& shard : shards_) {
    if (shard.used && !shard.removed) utimensat(AT_FDCWD, shard.index.c_str(), nullptr, 0);
  }
}

void ShardStore::refresh() {
  std::error_code error;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path& index = entry->path();
    if (index.extension() != ".index") continue;
    const auto [found, is_new] = shard_of_name_.emplace(index.filename().string(), shards_.size());
    if (is_new) {
      fs::path data = index;
      shards_.push_back({.index = index, .data = data.replace_extension(".data")});
    }
    if (!shards_[found->second].removed) read_index(found->second);
  }
}

// Reads the records that were added since the last call.
void ShardStore::read_index(size_t number) {
  Shard& shard = shards_[number];
  const Descriptor index(open_for_reading(shard.index));
  struct stat status {};
  if (index.get() < 0 || fstat(index.get(), &status) != 0) return;
  const auto bytes = static_cast<uint64_t>(status.st_size) / sizeof(StoredRecord) * sizeof(StoredRecord);
  if (bytes <= shard.read) return;
  std::error_code unknown;
  shard.last_use = fs::last_write_time(shard.index, unknown);
  std::vector<StoredRecord> records((bytes - shard.read) / sizeof(StoredRecord));
  const ssize_t got = pread(index.get(), records.data(), bytes - shard.read, static_cast<off_t>(shard.read));
  if (got < 0) return;
  records.resize(static_cast<size_t>(got) / sizeof(StoredRecord));
  const auto data_bytes = static_cast<uint64_t>(status_of(shard.data).st_size);
  for (const StoredRecord& record : records) {
    const BlobRecord& blob = record.blob;
    if (is_valid(record) && blob.offset <= data_bytes && blob.bytes <= data_bytes - blob.offset) {
      places_.insert_or_assign(blob.key, Place{.shard = number, .record = shard.read, .blob = blob});
      shard.end = std::max(shard.end, end_of(blob));
    }
    shard.read += sizeof(StoredRecord);
  }
  shard.bytes = disk_bytes(shard.data) + disk_bytes(shard.index);
}

ShardStore::Place* ShardStore::find_place(const CacheKey& key) {
  auto found = places_.find(key);
  if (found == places_.end()) {
    refresh();
    found = places_.find(key);
  }
  if (found == places_.end()) return nullptr;
  shards_[found->second.shard].used = true;
  return &found->second;
}

std::optional<BlobRecord> ShardStore::find(const CacheKey& key) {
  const std::lock_guard lock(mutex_);
  const Place* const place = find_place(key);
  return place ? std::optional(place->blob) : std::nullopt;
}

std::shared_ptr<const std::byte> ShardStore::data(const BlobRecord& record) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(record.key);
  if (place == places_.end() || !(place->second.blob == record)) return nullptr;
  Shard& shard = shards_[place->second.shard];
  const uint64_t end = record.offset + record.bytes;
  if (!shard.mapping || shard.mapping->bytes < end) {
    const Descriptor file(open_for_reading(shard.data));
    struct stat status {};
    if (file.get() < 0 || fstat(file.get(), &status) != 0 || static_cast<uint64_t>(status.st_size) < end) {
      if (file.get() < 0 && errno == ENOENT) {
        shard.removed = true;
        if (writer_ && writer_->shard == place->second.shard) writer_.reset();
      }
      places_.erase(place);  // add() writes the blob anew
      return nullptr;
    }
    auto mapping = std::make_shared<const Mapping>(file, static_cast<size_t>(status.st_size));
    if (mapping->memory == MAP_FAILED) return nullptr;
    shard.mapping = std::move(mapping);
  }
  return {shard.mapping, static_cast<const std::byte*>(shard.mapping->memory) + record.offset};
}

// ---- Writing.

BlobRecord ShardStore::add(const CacheKey& key, BlobKind kind, const std::array<double, 3>& numbers,
                           std::span<const std::byte> data) {
  const uint64_t hash = blob_hash(data);
  const std::lock_guard lock(mutex_);
  if (const Place* const place = find_place(key)) return place->blob;
  if (limit_ != no_limit && total_bytes() + data.size() > limit_) {
    freed_ += remove_least_recently_used(limit_ - std::min<uint64_t>(limit_, data.size()));
    if (total_bytes() + data.size() > limit_) {
      throw WriteError(
          fmt::format("{} has reached its limit of {}; raise --cache-limit", folder_.string(), size_text(limit_)));
    }
  }
  open_writer();
  Shard& shard = shards_[writer_->shard];
  StoredRecord record;
  record.blob = {.key = key, .kind = kind, .numbers = numbers, .offset = shard.end, .bytes = data.size(), .hash = hash};
  record.record_hash = hash_of(record);
  try {
    write_at(writer_->data, shard.data, data, shard.end);
    write_at(writer_->index, shard.index, std::as_bytes(std::span(&record, 1)), shard.read);
  } catch (const WriteError&) {
    // A record that was written in part has no valid checksum. The space is free again for other programs.
    [[maybe_unused]] const bool cut = ftruncate(writer_->data.get(), static_cast<off_t>(shard.end)) == 0;
    throw;
  }
  places_.insert_or_assign(key, Place{.shard = writer_->shard, .record = shard.read, .blob = record.blob});
  shard.end = end_of(record.blob);
  shard.read += sizeof record;
  shard.bytes = shard.end + shard.read;
  shard.used = true;
  return record.blob;
}

// Continues a shard that is not full and that no other process is filling, or begins one.
void ShardStore::open_writer() {
  if (writer_ && shards_[writer_->shard].end < shard_bytes_) return;
  writer_.reset();
  refresh();
  for (size_t shard = 0; shard < shards_.size(); ++shard) {
    if (!shards_[shard].removed && shards_[shard].end < shard_bytes_ && try_writer(shard)) return;
  }
  for (;;) {
    const size_t shard = new_shard();
    if (try_writer(shard)) return;
    const int reason = errno;
    if (reason == 0) continue;  // another process has locked or removed the new shard before this one could lock it
    std::error_code ignored;
    for (const fs::path& file : {shards_[shard].index, shards_[shard].data}) fs::remove(file, ignored);
    fail_to_write(shards_[shard].data, reason);
  }
}

// Returns false with errno 0 if the shard is full, is being filled by another process, or was removed, and with another
// errno if its files cannot be opened or locked.
bool ShardStore::try_writer(size_t number) {
  Shard& shard = shards_[number];
  // The index comes first, and is removed first, so that every data file belongs to one.
  const int index = open_for_writing(shard.index);
  if (index < 0 && errno == ENOENT) errno = 0;
  if (index < 0) return false;
  auto writer = std::unique_ptr<Writer>(new Writer{
      .shard = number, .index = Descriptor(index), .data = Descriptor(open_for_writing(shard.data, O_CREAT))});
  if (writer->data.get() < 0) return false;
  struct stat index_status {
  }, data_status{};
  const bool locked = flock(writer->data.get(), LOCK_EX | LOCK_NB) == 0;
  if (!locked && errno != EWOULDBLOCK) return false;  // a file system without locks
  const bool known = fstat(writer->index.get(), &index_status) == 0 && fstat(writer->data.get(), &data_status) == 0;
  // The index may have been removed before the data file was made here.
  if (std::error_code ignored; known && index_status.st_nlink == 0) fs::remove(shard.data, ignored);
  bool free = locked && known && index_status.st_nlink > 0 && data_status.st_nlink > 0;
  if (free) {
    read_index(number);  // another process may have filled it since the last look
    free = shard.end < shard_bytes_;
  }
  errno = 0;
  if (free) writer_ = std::move(writer);
  return free;
}

size_t ShardStore::new_shard() {
  make_folders(folder_);
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  for (int64_t i = 0;; ++i) {
    const std::string name = fmt::format("{:016x}-{}", now + i, getpid());
    const fs::path index = folder_ / (name + ".index");
    const Descriptor created(open_for_writing(index, O_CREAT | O_EXCL));
    if (created.get() < 0 && errno == EEXIST) continue;
    if (created.get() < 0) fail_to_write(index, errno);
    shard_of_name_[index.filename().string()] = shards_.size();
    shards_.push_back({.index = index, .data = folder_ / (name + ".data")});
    return shards_.size() - 1;
  }
}

void ShardStore::discard(const CacheKey& key) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(key);
  if (place == places_.end()) return;
  const Descriptor index(open_for_writing(shards_[place->second.shard].index));
  constexpr std::array<char, sizeof(StoredRecord)> nothing{};
  if (index.get() >= 0) {
    [[maybe_unused]] const ssize_t written =
        pwrite(index.get(), nothing.data(), nothing.size(), static_cast<off_t>(place->second.record));
  }
  places_.erase(place);
}

// ---- Size.

uint64_t ShardStore::total_bytes() const {
  uint64_t bytes = 0;
  for (const Shard& shard : shards_) bytes += shard.removed ? 0 : shard.bytes;
  return bytes;
}

ShardStore::Use ShardStore::use() {
  const std::lock_guard lock(mutex_);
  Use use{.bytes = total_bytes(), .blobs = {}, .oldest = {}, .newest = {}};
  for (const auto& [key, place] : places_) ++use.blobs[place.blob.kind];
  for (const Shard& shard : shards_) {
    if (shard.removed) continue;
    use.oldest = std::min(use.oldest.value_or(shard.last_use), shard.last_use);
    use.newest = std::max(use.newest.value_or(shard.last_use), shard.last_use);
  }
  return use;
}

uint64_t ShardStore::shrink() {
  const std::lock_guard lock(mutex_);
  return remove_least_recently_used(limit_);
}

uint64_t ShardStore::freed() {
  const std::lock_guard lock(mutex_);
  return freed_;
}

uint64_t ShardStore::remove_least_recently_used(uint64_t most_bytes) {
  std::vector<size_t> order;
  for (size_t i = 0; i < shards_.size(); ++i) {
    if (!shards_[i].used && !shards_[i].removed) order.push_back(i);
  }
  std::ranges::sort(order, {}, [&](size_t i) { return shards_[i].last_use; });
  uint64_t freed = 0;
  for (const size_t i : order) {
    if (total_bytes() <= most_bytes) break;
    if (remove(i)) freed += shards_[i].bytes;
  }
  std::erase_if(places_, [&](const auto& entry) { return shards_[entry.second.shard].removed; });
  return freed;
}

void ShardStore::clear() {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < shards_.size(); ++i) remove(i);
  std::erase_if(places_, [&](const auto& entry) { return shards_[entry.second.shard].removed; });
  // A process that was killed while it removed a shard leaves the data.
  std::error_code error;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
    fs::path index = entry->path();
    if (index.extension() != ".data" || fs::exists(index.replace_extension(".index"))) continue;
    std::error_code ignored;
    fs::remove(entry->path(), ignored);
  }
}

// Returns false if another process is filling the shard, or the files cannot be removed.
bool ShardStore::remove(size_t number) {
  Shard& shard = shards_[number];
  const Descriptor data(open_for_reading(shard.data));
  if (data.get() >= 0 && flock(data.get(), LOCK_EX | LOCK_NB) != 0) return false;
  std::error_code error;
  if (!fs::remove(shard.index, error) && error) return false;
  fs::remove(shard.data, error);
  shard.removed = true;
  return true;
}

}  // namespace melgrad
